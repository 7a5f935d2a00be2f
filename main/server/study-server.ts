import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Study } from '../../shared/domain/study.ts';
import { toErrorShape } from '../../shared/ipc/result.ts';
import type { Services } from '../services/services.ts';
import { end, send } from './answers.ts';
import { isFromItself, securityHeaders } from './guard.ts';
import { socketPort } from './socket-port.ts';
import { studyAddress, studyResponse } from './study-pages.ts';

export interface StudyServer {
  /** The path of the study's link; what comes before it is how raters reach this machine. */
  path: string;
  port: number;
  close(): Promise<void>;
}

/** Answers of raters are small. */
const maximumMessageBytes = 2 ** 14;

/**
 * Serves the page of one study, and nothing else of the library, to whoever has its link. `host` is where it
 * listens: 0.0.0.0 for the whole network.
 */
export async function startStudyServer(
  services: Services,
  study: Study,
  { rendererFolder, host, port }: { rendererFolder: string; host: string; port: number },
): Promise<StudyServer> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 });
  await new Promise<void>((done, refuse) => {
    server.once('error', refuse);
    server.listen(port, host, done);
  });

  async function answer({ method = 'GET', headers, url = '/' }: IncomingMessage, response: ServerResponse) {
    for (const [name, value] of Object.entries(securityHeaders(headers.host ?? ''))) response.setHeader(name, value);
    if (method !== 'GET' && method !== 'HEAD') return end(response, 405, 'Only reading is answered here.');
    const address = studyAddress(new URL(url, 'http://study').pathname);
    if (address?.code !== study.code) return end(response, 404, 'Not found.');
    await send(await studyResponse(services, rendererFolder, address, headers.range ?? null), method, response);
  }

  server.on('request', (request, response) => {
    answer(request, response).catch((thrown: unknown) => {
      services.log.write('error', 'the page of a study could not be served', toErrorShape(thrown));
      if (response.headersSent) response.destroy();
      else end(response, 500, 'Something went wrong.');
    });
  });
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maximumMessageBytes,
    allowSynchronousEvents: false,
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const allowed = isFromItself(request.headers) && request.url === `/study/${study.code}/rpc`;
    if (!allowed) return socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (connected) => services.serveStudy(socketPort(connected)));
  });

  return {
    path: `/study/${study.code}/`,
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
