import { randomBytes, timingSafeEqual } from 'node:crypto';

/** Who may talk to the server: whoever opened the printed address first, known from then on by a cookie. */
export class Session {
  readonly token = randomBytes(32).toString('base64url');
  readonly #secret = randomBytes(32).toString('base64url');
  readonly #cookie: string;
  #spent = false;

  /** Cookies are shared by all ports of a host, so the port is part of the name. */
  constructor(port: number) {
    this.#cookie = `motif-${port}`;
  }

  /** The value of Set-Cookie for the first who brings the token; null for everybody else. */
  exchange(token: string): string | null {
    if (this.#spent || !isSame(token, this.token)) return null;
    this.#spent = true;
    return `${this.#cookie}=${this.#secret}; HttpOnly; SameSite=Strict; Path=/`;
  }

  isKnown(cookies: string | undefined): boolean {
    return (cookies ?? '').split(/;\s*/).some((pair) => {
      const at = pair.indexOf('=');
      return pair.slice(0, at) === this.#cookie && isSame(pair.slice(at + 1), this.#secret);
    });
  }
}

/** Compares in a time that tells nothing of where two texts differ. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
