import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { toErrorShape } from '../../shared/ipc/result.ts';
import { mediaResponse } from '../host/media-response.ts';
import { pageResponse } from '../host/page-response.ts';
import type { Services } from '../services/services.ts';
import { end, send } from './answers.ts';
import { isOurs, securityHeaders } from './guard.ts';
import { Session } from './session.ts';
import { socketPort } from './socket-port.ts';
import { opens, studyAddress, studyResponse } from './study-pages.ts';
import { receiveUpload } from './uploads.ts';

export interface EditorServer {
  /** With the token that the first visitor exchanges for a cookie. */
  address: string;
  port: number;
  close(): Promise<void>;
}

/** RPC messages are small: prompts, settings, ids, each with a limit of its own. */
const maximumMessageBytes = 2 ** 20;

/**
 * Serves the built renderer in `rendererFolder` and everything behind it to browsers of this machine.
 * Nothing is answered to who did not bring the token once, names another host, or comes from another page; but
 * whoever has the link of a study gets its page.
 */
export async function startServer(
  services: Services,
  options: { rendererFolder: string; port?: number },
): Promise<EditorServer> {
  const server = createServer({ requestTimeout: 0, headersTimeout: 10_000 });
  await new Promise<void>((done, refuse) => {
    server.once('error', refuse);
    server.listen(options.port ?? 0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo;
  const session = new Session(port);
  const uploads = join(services.library.status().folder, 'uploads');

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', headers } = request;
    const url = new URL(request.url ?? '/', `http://127.0.0.1:${port}`);
    const host = headers.host ?? '';
    const isReading = method === 'GET' || method === 'HEAD';
    if (!isOurs(headers, port, !isReading)) return end(response, 403, 'This address serves its own pages only.');
    for (const [name, value] of Object.entries(securityHeaders(host))) response.setHeader(name, value);

    const study = isReading ? studyAddress(url.pathname) : null;
    if (study) {
      const answer = await studyResponse(services, options.rendererFolder, study, headers.range ?? null);
      return send(answer, method, response);
    }

    const token = url.searchParams.get('token');
    if (url.pathname === '/' && token !== null && isReading) {
      const cookie = session.exchange(token);
      if (cookie === null && !session.isKnown(headers.cookie)) return end(response, 401, tokenSpent);
      if (cookie !== null) response.setHeader('Set-Cookie', cookie);
      response.setHeader('Location', '/');
      return end(response, 303, '');
    }
    if (!session.isKnown(headers.cookie)) return end(response, 401, tokenMissing);

    if (method === 'POST' && url.pathname === '/upload') {
      const path = await receiveUpload(request, uploads, url.searchParams.get('name') ?? 'clip');
      response.setHeader('Content-Type', 'application/json');
      return end(response, 200, JSON.stringify({ path }));
    }
    if (!isReading) return end(response, 405, 'Only reading is answered here.');
    const range = headers.range ?? null;
    if (url.pathname.startsWith('/media/')) {
      return send(await mediaResponse(services, url.pathname.slice('/media/'.length), range), method, response);
    }
    return send(await pageResponse(options.rendererFolder, url.pathname, range), method, response);
  }

  server.on('request', (request, response) => {
    answer(request, response).catch((thrown: unknown) => {
      if (response.headersSent) return response.destroy();
      const error = toErrorShape(thrown);
      response.setHeader('Content-Type', 'application/json');
      end(response, error.code === 'internal' ? 500 : 400, JSON.stringify({ error }));
    });
  });

  // One message per turn of the event loop, so that answers have been counted before the next question is
  // taken.
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maximumMessageBytes,
    allowSynchronousEvents: false,
  });
  server.on('upgrade', (request, socket, head) => {
    // A visitor that leaves in the middle of the handshake is no fault of ours.
    socket.on('error', () => socket.destroy());
    const isEditor = session.isKnown(request.headers.cookie) && request.url === '/rpc';
    const study = studyAddress(request.url ?? '');
    const isRater = study?.rest === 'rpc' && opens(services, study.code);
    if (!isOurs(request.headers, port, true) || !(isEditor || isRater))
      return socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (connected) =>
      isEditor ? services.serve(socketPort(connected)) : services.serveStudy(socketPort(connected)),
    );
  });

  return {
    address: `http://127.0.0.1:${port}/?token=${session.token}`,
    port,
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

const tokenMissing = 'Open Motif with the address that its terminal printed.';
const tokenSpent = 'This address was opened before. Start Motif again for a new one.';
