/** Runs in the page: keeps the longest time for which it did not answer, in milliseconds, in `window.longestGap`. */
export function watchGaps() {
  window.longestGap = 0;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    window.longestGap = Math.max(window.longestGap, now - last);
    last = now;
  }, 5);
}
