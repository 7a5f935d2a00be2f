import { spawn } from 'node:child_process';

/** Asks the system to show an address in the default browser. Answers false where nothing can. */
export function openBrowser(address: string): Promise<boolean> {
  const [command, ...words] =
    process.platform === 'darwin'
      ? ['open', address]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', address]
        : ['xdg-open', address];
  return new Promise((done) => {
    const child = spawn(command!, words, { stdio: 'ignore', detached: true });
    child.once('error', () => done(false));
    child.once('spawn', () => {
      child.unref();
      done(true);
    });
  });
}
