import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Answers with a text, plain unless its type is set. */
export function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, response.hasHeader('Content-Type') ? {} : { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(text);
}

/** Answers with what a host has made of a file. */
export async function send(answer: Response, method: string, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body === null || method === 'HEAD') {
    await answer.body?.cancel();
    response.end();
    return;
  }
  // A player that seeks breaks off what it asked for before.
  await pipeline(Readable.fromWeb(answer.body as never), response).catch(() => response.destroy());
}
