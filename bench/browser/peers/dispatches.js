// Counts a worker's GPU dispatches and submissions from before its first one; imported ahead of whatever uses the GPU. A request
// `{ type: "dispatches" }` is answered here, before the worker's own listener hears of it.
const counts = { dispatches: 0, submissions: 0 };

function count(prototype, method, what) {
  const original = prototype[method];
  prototype[method] = function (...values) {
    counts[what] += 1;
    return original.apply(this, values);
  };
}

count(GPUComputePassEncoder.prototype, "dispatchWorkgroups", "dispatches");
count(GPUComputePassEncoder.prototype, "dispatchWorkgroupsIndirect", "dispatches");
count(GPUQueue.prototype, "submit", "submissions");

self.addEventListener("message", (event) => {
  if (event.data.type !== "dispatches") return;
  event.stopImmediatePropagation();
  postMessage({ id: event.data.id, type: "dispatches", ...counts });
});
