import type { IncomingHttpHeaders } from 'node:http';
import { contentSecurityPolicy } from '../host/content-security-policy.ts';

/**
 * Whether a request names this server and comes from its own pages: a web page elsewhere may neither reach
 * it by a name that it bound to 127.0.0.1 (Host) nor send to it (Origin).
 */
export function isOurs(headers: IncomingHttpHeaders, port: number, needsOrigin: boolean): boolean {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(headers.host ?? '')) return false;
  const { origin } = headers;
  // Some browsers say it in the one way, some in the other; a page can write neither header itself.
  if (origin === undefined) return !needsOrigin || headers['sec-fetch-site'] === 'same-origin';
  return origin === `http://${headers.host}`;
}

/** Whether a request comes from a page of the address that it asks, by whatever name that is reached. */
export function isFromItself({ host, origin, ...headers }: IncomingHttpHeaders): boolean {
  if (origin === undefined) return headers['sec-fetch-site'] === 'same-origin';
  return host !== undefined && origin === `http://${host}`;
}

/** What every answer says to the browser. */
export function securityHeaders(host: string): Record<string, string> {
  return {
    'Content-Security-Policy': contentSecurityPolicy(`ws://${host}`),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  };
}
