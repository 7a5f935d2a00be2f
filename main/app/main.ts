import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  MessageChannelMain,
  Notification,
  protocol,
  session,
  shell,
} from 'electron';
import type { HostCommand } from '../../shared/domain/host-command.ts';
import { toErrorShape } from '../../shared/ipc/result.ts';
import { contentSecurityPolicy } from '../host/content-security-policy.ts';
import { welcome } from '../host/first-start.ts';
import { outliveFaults } from '../host/last-resort.ts';
import { mediaResponse } from '../host/media-response.ts';
import { pageResponse } from '../host/page-response.ts';
import { engineIdleSeconds, warmUpInBackground } from '../host/warm-up.ts';
import { findResources } from '../services/program.ts';
import { openServices, type Services } from '../services/services.ts';
import { electronPort } from './electron-port.ts';
import { menuTemplate } from './menu.ts';
import { startUtilityEngine } from './utility-engine.ts';

/** The scheme under which the page and everything that it shows are served. */
const scheme = 'media';
const page = `${scheme}://motif/index.html`;
/** The built page lies beside this code, in the folder of the project and in a package alike. */
const rendererFolder = join(import.meta.dirname, 'renderer');

protocol.registerSchemesAsPrivileged([
  { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
]);

/** `.motif` files that the system asked to open before there was a library to put them into. */
const opened: string[] = conceptFiles(process.argv);
let openConcepts = (files: string[]): void => void opened.push(...files);

async function start(): Promise<void> {
  await app.whenReady();
  const resources = findResources(app.getAppPath());
  const services = await openServices({
    program: 'motif',
    resources,
    startEngine: startUtilityEngine,
    engineIdleSeconds,
  });
  if (services.library.status().access === 'write') services.queue.start();
  await welcome(services, join(resources, 'samples'));
  outliveFaults(services);

  serveScheme(services);
  // Whoever looks at the picture in full asked for it; nothing else of the system is the page's.
  session.defaultSession.setPermissionRequestHandler((contents, permission, answer) =>
    answer(permission === 'fullscreen' && isPage(contents.getURL())),
  );
  session.defaultSession.setPermissionCheckHandler(
    (contents, permission) => permission === 'fullscreen' && isPage(contents?.getURL()),
  );
  answerWindows(services);
  const menu = menuTemplate(process.platform, {
    command: (name) => void command(name),
    newWindow: () => openWindow(services),
    saveReport: () => void services.call['program.saveReport']().then(({ file }) => shell.showItemInFolder(file)),
    showLog: () => shell.showItemInFolder(services.log.file),
    showNotices: () => void shell.openPath(join(import.meta.dirname, 'third-party-notices.txt')),
  });
  Menu.setApplicationMenu(Menu.buildFromTemplate(menu));
  openWindow(services);
  warmUpInBackground(services);

  // A page that has asked for its port hears of what is opened.
  ipcMain.once('motif:connect', () => {
    openConcepts = (files) => void importConcepts(services, files);
    openConcepts(opened);
  });
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow(services);
  });
  app.on('second-instance', (_event, words) => {
    openConcepts(conceptFiles(words));
    const [window] = BrowserWindow.getAllWindows();
    if (window?.isMinimized()) window.restore();
    window?.focus();
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  services.on('job.changed', () => showProgress(services));
  services.on('library.lost', ({ message, hint }) => {
    dialog.showErrorBox(message, hint);
    app.exit(1);
  });
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

function conceptFiles(words: string[]): string[] {
  return words.filter((word) => /\.motif$/i.test(word) && existsSync(word));
}

async function importConcepts(services: Services, files: string[]): Promise<void> {
  for (const file of files) {
    try {
      await services.call['concepts.importFile']({ file, show: true });
    } catch (thrown) {
      const { message, hint } = toErrorShape(thrown);
      dialog.showErrorBox(message, hint ?? '');
    }
  }
}

/** media://motif/... : the built page, and below `media/` the files of the library. */
function serveScheme(services: Services): void {
  protocol.handle(scheme, async (request) => {
    const { host, pathname } = new URL(request.url);
    if (host !== 'motif' || request.method !== 'GET') return new Response('Not found.', { status: 404 });
    const range = request.headers.get('range');
    if (pathname.startsWith('/media/')) return mediaResponse(services, pathname.slice('/media/'.length), range);
    return pageResponse(rendererFolder, pathname, range, {
      'Content-Security-Policy': contentSecurityPolicy(),
      'X-Content-Type-Options': 'nosniff',
    });
  });
}

const isPage = (url: string | undefined) => url?.startsWith(`${scheme}://motif/`) ?? false;

function answerWindows(services: Services): void {
  ipcMain.on('motif:connect', (event) => {
    if (!isPage(event.senderFrame?.url)) return;
    const { port1, port2 } = new MessageChannelMain();
    services.serve(electronPort(port1));
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
  ipcMain.on('motif:notify', (event, title: unknown, body: unknown) => {
    if (!isPage(event.senderFrame?.url) || !Notification.isSupported()) return;
    new Notification({ title: String(title), body: String(body) }).show();
  });
}

function openWindow(services: Services): void {
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
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    services.log.write('error', `the window's process ended: ${reason}`);
    if (reason !== 'clean-exit') window.reload();
  });
  let asked = false;
  window.on('unresponsive', () => {
    if (asked) return;
    asked = true;
    services.log.write('error', 'the window does not answer');
    const question = { message: 'The window does not answer.', detail: kept, buttons: ['Wait', 'Reload'], cancelId: 0 };
    void dialog.showMessageBox(window, question).then(({ response }) => {
      asked = false;
      // It is loaded again when its process has ended.
      if (response === 1) window.webContents.forcefullyCrashRenderer();
    });
  });
  void window.loadURL(page);
}

const kept = 'Jobs in the queue keep running. Prompts, ranges and sliders are kept.';

/**
 * A page opens no dialog for files unless somebody has just done something in it; the choice of a menu
 * counts as that.
 */
async function command(name: HostCommand): Promise<void> {
  const contents = BrowserWindow.getFocusedWindow()?.webContents;
  await contents?.executeJavaScript('undefined', true);
  contents?.send('motif:command', name);
}

/** Dock or task bar: how far the running job is. */
function showProgress(services: Services): void {
  const [running] = services.queue.list({ states: ['running'] });
  const ratio = running?.progress && running.progress.total > 0 ? running.progress.done / running.progress.total : -1;
  for (const window of BrowserWindow.getAllWindows()) window.setProgressBar(ratio);
}

// A test's Electron is not to be taken for a second start of the one that a person has open.
if (process.env.MOTIF_HOME) app.setPath('userData', join(process.env.MOTIF_HOME, 'electron'));

if (app.requestSingleInstanceLock()) {
  // macOS names the file that was opened in an event, the others on the command line.
  app.on('open-file', (event, file) => {
    event.preventDefault();
    openConcepts(conceptFiles([file]));
  });
  start().catch((thrown: unknown) => {
    dialog.showErrorBox('Motif cannot start', thrown instanceof Error ? thrown.message : String(thrown));
    app.exit(1);
  });
} else {
  app.quit();
}
