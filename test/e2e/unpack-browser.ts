import { launchBrowser } from './browser.ts';

/** Once before all files: the bundled browser unpacks itself when it is first asked for, and two files that ask at once meet half a program. */
export async function setup(): Promise<void> {
  const browser = await launchBrowser();
  await browser.close();
}
