import { contextBridge, ipcRenderer, webUtils } from 'electron';

/** The page's own; only this file of the main side runs beside one. */
declare const window: {
  location: { origin: string };
  postMessage(data: unknown, origin: string, ports: unknown[]): void;
};

// The page and the program behind it talk through a message channel of their own: the page's end is handed over as soon as the page
// is there to take it. Nothing else of Electron is visible to the page.
ipcRenderer.on('motif:port', (event) => {
  window.postMessage('motif:port', window.location.origin, event.ports);
});

contextBridge.exposeInMainWorld('motifDesktop', {
  /** Asks for the port; it arrives as a message of the window. */
  connect: () => ipcRenderer.send('motif:connect'),
  /** Where a dropped or chosen file lies; empty for one that is no file of the disk. */
  pathOf: (file: File) => webUtils.getPathForFile(file),
  chooseFolder: (): Promise<string | null> => ipcRenderer.invoke('motif:choose-folder'),
  notify: (title: string, body: string) => ipcRenderer.send('motif:notify', title, body),
  /** What the system's menu asks of this window. */
  onCommand: (listener: (name: string) => void) => {
    ipcRenderer.on('motif:command', (_event, name: unknown) => listener(String(name)));
  },
  showInFolder: (path: string) => ipcRenderer.send('motif:show-in-folder', path),
});
