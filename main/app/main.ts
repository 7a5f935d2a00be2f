import { dirname, join } from 'node:path';
import { app, BrowserWindow, dialog, ipcMain, MessageChannelMain, protocol, session, shell } from 'electron';
import { serveApp } from '../ipc/serve-app.ts';
import { findResources } from '../jobs/models.ts';
import { openServices, type Services } from '../jobs/services.ts';
import { engineIdleSeconds, warmUpInBackground } from '../jobs/warm-up.ts';
import { welcome } from '../server/first-start.ts';
import { contentSecurityPolicy } from '../server/guard.ts';
import { mediaResponse } from '../server/media-response.ts';
import { fileResponse } from '../server/send-file.ts';
import { electronPort } from './electron-port.ts';

/** The scheme under which the page and everything that it shows are served. */
const scheme = 'media';
const page = `${scheme}://motif/index.html`;

protocol.registerSchemesAsPrivileged([
  { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
]);

async function start(): Promise<void> {
  await app.whenReady();
  const resources = findResources(app.getAppPath());
  const services = await openServices({ program: 'motif', resources, engineIdleSeconds });
  if (services.library.status().access === 'write') services.jobs.start();
  welcome(services, join(resources, 'samples'));

  serveScheme(services, join(dirname(resources), 'dist', 'renderer'));
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  session.defaultSession.setPermissionCheckHandler(() => false);
  answerWindows(services);
  openWindow();
  warmUpInBackground(services);

  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow();
  });
  app.on('second-instance', () => BrowserWindow.getAllWindows()[0]?.focus());
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  services.on('job.changed', () => showProgress(services));
  let closed = false;
  app.on('before-quit', (event) => {
    if (closed) return;
    event.preventDefault();
    void services.close().finally(() => {
      closed = true;
      app.quit();
    });
  });
}

/** media://motif/... : the built page, and below `media/` the files of the library. */
function serveScheme(services: Services, rendererFolder: string): void {
  protocol.handle(scheme, async (request) => {
    const { host, pathname } = new URL(request.url);
    if (host !== 'motif' || request.method !== 'GET') return new Response('Not found.', { status: 404 });
    const range = request.headers.get('range');
    if (pathname.startsWith('/media/')) return mediaResponse(services, pathname.slice('/media/'.length), range);
    const parts = pathname.split('/').map(decodeURIComponent);
    if (parts.includes('..')) return new Response('Not found.', { status: 404 });
    return fileResponse(join(rendererFolder, ...parts), range, {
      'Content-Security-Policy': contentSecurityPolicy(),
      'X-Content-Type-Options': 'nosniff',
    });
  });
}

function answerWindows(services: Services): void {
  const isPage = (url: string | undefined) => url?.startsWith(`${scheme}://motif/`) ?? false;
  ipcMain.on('motif:connect', (event) => {
    if (!isPage(event.senderFrame?.url)) return;
    const { port1, port2 } = new MessageChannelMain();
    serveApp(services, electronPort(port1));
    event.senderFrame?.postMessage('motif:port', null, [port2]);
  });
  ipcMain.handle('motif:choose-folder', async (event) => {
    if (!isPage(event.senderFrame?.url)) return null;
    const { filePaths } = await dialog.showOpenDialog({ properties: ['openDirectory', 'createDirectory'] });
    return filePaths[0] ?? null;
  });
  ipcMain.on('motif:show-in-folder', (event, path: unknown) => {
    if (isPage(event.senderFrame?.url) && typeof path === 'string') shell.showItemInFolder(path);
  });
}

function openWindow(): void {
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    minWidth: 1024,
    minHeight: 640,
    backgroundColor: '#0d0e10',
    show: false,
    webPreferences: {
      preload: join(import.meta.dirname, 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
    },
  });
  window.once('ready-to-show', () => window.show());
  window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  window.webContents.on('will-navigate', (event) => event.preventDefault());
  window.webContents.on('will-attach-webview', (event) => event.preventDefault());
  // The page reconnects and shows what the library and the queue hold; nothing lives in it alone.
  window.webContents.on('render-process-gone', () => window.reload());
  void window.loadURL(page);
}

/** Dock or task bar: how far the running job is. */
function showProgress(services: Services): void {
  const [running] = services.jobs.list({ states: ['running'] });
  const ratio = running?.progress && running.progress.total > 0 ? running.progress.done / running.progress.total : -1;
  for (const window of BrowserWindow.getAllWindows()) window.setProgressBar(ratio);
}

if (app.requestSingleInstanceLock()) {
  start().catch((thrown: unknown) => {
    dialog.showErrorBox('Motif cannot start', thrown instanceof Error ? thrown.message : String(thrown));
    app.exit(1);
  });
} else {
  app.quit();
}
