import type { Host } from '../host/host.ts';
import { text } from '../text/en.ts';
import type { Services } from './connection.svelte.ts';
import type { Notice } from './notices.svelte.ts';

/** How a person gets at a file that was written: in the system's file manager, or as a download in a browser. */
export class Files {
  readonly #connection: Services;
  readonly #host: Host;

  constructor(connection: Services, host: Host) {
    this.#connection = connection;
    this.#host = host;
  }

  /** Undefined in a browser for a folder, and for a file outside of the library: it cannot be had from here. */
  async action(file: string): Promise<Notice['action']> {
    const { showInFolder } = this.#host;
    if (showInFolder) return { label: text.queue.show, run: () => showInFolder(file) };
    if (!/\.[a-z0-9]+$/i.test(file)) return undefined;
    try {
      const { address } = await this.#connection.call['media.address']({ path: file });
      return { label: text.queue.download, run: () => download(address) };
    } catch {
      return undefined;
    }
  }
}

function download(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = '';
  link.click();
}
