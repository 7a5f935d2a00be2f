import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { toErrorShape } from '../../shared/ipc/result.ts';
import { welcome } from '../host/first-start.ts';
import { outliveFaults } from '../host/last-resort.ts';
import { engineIdleSeconds, warmUpInBackground } from '../host/warm-up.ts';
import { findResources } from '../services/program.ts';
import { openServices } from '../services/services.ts';
import { startServer } from './http-server.ts';
import { openBrowser } from './open-browser.ts';

/** `npm start` where there is no Electron: the editor in a browser of this machine, until Ctrl-C. */
export async function serveEditor(): Promise<void> {
  try {
    await start();
  } catch (thrown) {
    const { message, hint } = toErrorShape(thrown);
    console.error(hint ? `${message} ${hint}` : message);
    process.exit(1);
  }
}

async function start(): Promise<void> {
  const { values } = parseArgs({
    options: { 'no-open': { type: 'boolean' }, port: { type: 'string' }, home: { type: 'string' } },
  });
  const resources = findResources();
  const rendererFolder = join(dirname(resources), 'dist', 'renderer');
  if (!existsSync(join(rendererFolder, 'index.html'))) throw new Error('The editor is not built: npm run build');
  const services = await openServices({ program: 'motif editor', home: values.home, resources, engineIdleSeconds });
  outliveFaults(services);
  const { access, obstacle } = services.library.status();
  if (access === 'write') services.queue.start();
  if (obstacle) console.error(`${obstacle.message} ${obstacle.hint ?? ''}`);
  await welcome(services, join(resources, 'samples'));
  const server = await startServer(services, { rendererFolder, port: values.port ? Number(values.port) : undefined });

  warmUpInBackground(services);

  console.log(`Motif is at ${server.address}`);
  if (!values['no-open'] && !(await openBrowser(server.address))) console.log('Open this address in a browser.');

  const stop = async () => {
    await server.close();
    await services.close();
    process.exit(0);
  };
  services.on('library.lost', ({ message, hint }) => {
    console.error(`${message} ${hint}`);
    // The windows have been told; a moment for that to leave.
    setTimeout(() => process.exit(1), 200);
  });
  process.once('SIGINT', () => void stop());
  process.once('SIGTERM', () => void stop());
}
