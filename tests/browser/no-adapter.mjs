// Without a usable WebGPU, whatever the cause, the page says so and carries on with the CPU engine.
import { scenario } from "./harness.mjs";

await scenario(
  async ({ context, page }) => {
    await page.says(/CPU engine · ready .*The browser has only a software WebGPU adapter\. The CPU engine answers\./);

    await page.tab.evaluate(() => (GPU.prototype.requestAdapter = async () => null));
    await carriesOn(page, /The browser gives no WebGPU adapter\. The CPU engine answers\./);
    await page.tab.locator("#language").selectOption("de");
    await page.says(/Der Browser gibt keinen WebGPU-Adapter her\. Das CPU-Rechenwerk antwortet\./);
    await page.tab.locator("#language").selectOption("en");
    await page.says(/The browser gives no WebGPU adapter\. The CPU engine answers\./);

    await page.tab.reload();
    await page.says(/CPU engine · ready/);
    await context.route(/engine-webgpu_loader\.js/, (route) => route.abort());
    await carriesOn(page, /The WebGPU engine .*could not be loaded.* The CPU engine answers\./);

    await context.route(/engine-webgpu.*\.js/, (route) => route.fulfill({ contentType: "text/javascript", body: "throw new Error('out of luck');" }));
    await carriesOn(page, /The WebGPU engine stopped: .*out of luck.* The CPU engine answers\./);
  },
  { webgpu: true, expectedErrors: [/ERR_FAILED/, /out of luck/] },
);

async function carriesOn(page, reason) {
  await page.backend.selectOption("CPU");
  await page.classify("She hummed all the way home.");
  await page.backend.selectOption("WebGPU");
  console.log(await page.says(reason));
  await page.classify("It was the best day of the year.");
  await page.says(new RegExp(`CPU engine · \\d+ ms .*${reason.source}`));
}
