// Follows a citizen's events in a page of headless Chromium and prints each as a line of JSON.
// Usage: node follow.mjs ORIGIN PATH; ends with its standard input.
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const [origin, path] = process.argv.slice(2);
const browser = await puppeteer.launch({
  args: [...chromium.args, "--no-sandbox"],
  executablePath: await chromium.executablePath(),
  headless: "shell",
});
const page = await browser.newPage();
await page.setBypassCSP(true); // an app's own pages let it connect; ours let nothing
await page.goto(`${origin}/healthz`, { waitUntil: "domcontentloaded" }); // of the same origin
await page.exposeFunction("tell", (line) => process.stdout.write(line + "\n"));
await page.evaluate((address) => {
  const source = new EventSource(address);
  source.onopen = () => window.tell(JSON.stringify({ opened: true }));
  source.onmessage = (event) =>
    window.tell(JSON.stringify({ id: event.lastEventId, data: JSON.parse(event.data) }));
}, path);
process.stdin.resume();
process.stdin.on("end", async () => {
  await browser.close();
  process.exit(0);
});
