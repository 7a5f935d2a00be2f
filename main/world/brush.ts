import type { SKRSContext2D } from '@napi-rs/canvas';
import { css, type Rgb } from './colour.ts';
import { type Light, lit } from './light.ts';
import type { Scene } from './scene.ts';
import type { SeasonKind } from './vocabulary.ts';

/** The parts of a subject that an edit can change one by one. */
export const partNames = ['subject', 'shirt', 'trousers', 'hat', 'held', 'arm', 'shadow', 'second'] as const;
export type PartName = (typeof partNames)[number];

type Paint = string | ReturnType<SKRSContext2D['createLinearGradient']>;

/** How a style exaggerates what is drawn, and a season colours it. */
export interface Look {
  head: number;
  eyes: number;
  gloss: number;
  /** What leaves look like. */
  season: SeasonKind;
}

export function lookOf({ style, season }: Scene): Look {
  if (style.kind === '3D animation') return { head: 1.28, eyes: 1.7, gloss: 0.5, season };
  if (style.kind === 'comic') return { head: 1.1, eyes: 1.25, gloss: 0.1, season };
  return { head: 1, eyes: 1, gloss: 0.08, season };
}

/**
 * Draws shaded shapes in scene units (1 is the height of the frame, y grows downwards) under one light.
 * With `flat` colours it draws the same shapes as a map of parts instead.
 */
export class Brush {
  readonly ctx: SKRSContext2D;
  readonly light: Light;
  readonly look: Look;
  readonly flat: Partial<Record<PartName, string>> | null;
  part: PartName = 'subject';
  /** Set while the arm that can hold something is drawn, whatever it wears. */
  holdingArm = false;

  constructor(ctx: SKRSContext2D, light: Light, look: Look, flat: Partial<Record<PartName, string>> | null = null) {
    this.ctx = ctx;
    this.light = light;
    this.look = look;
    this.flat = flat;
  }

  colour(surface: Rgb, level = 0.7, alpha = 1): string {
    return css(lit(this.light, surface, level), alpha);
  }

  /** What stands for the current part on a map of parts. */
  private flatColour(): string | null {
    if (!this.flat) return null;
    const arm = this.holdingArm ? this.flat.arm : undefined;
    return arm ?? this.flat[this.part] ?? this.flat.subject ?? '#000';
  }

  fill(paint: Paint): void {
    this.ctx.fillStyle = this.flatColour() ?? paint;
    this.ctx.fill();
  }

  stroke(paint: Paint, width: number): void {
    this.ctx.strokeStyle = this.flatColour() ?? paint;
    this.ctx.lineWidth = width;
    this.ctx.lineCap = 'round';
    this.ctx.lineJoin = 'round';
    this.ctx.stroke();
  }

  ellipse(x: number, y: number, rx: number, ry: number, paint: Paint, turn = 0): void {
    this.ctx.beginPath();
    this.ctx.ellipse(x, y, Math.max(rx, 1e-4), Math.max(ry, 1e-4), turn, 0, Math.PI * 2);
    this.fill(paint);
  }

  polygon(points: readonly (readonly [number, number])[], paint: Paint): void {
    this.trace(points);
    this.fill(paint);
  }

  /** A closed path through points, straight. */
  trace(points: readonly (readonly [number, number])[]): void {
    this.ctx.beginPath();
    points.forEach(([x, y], i) => {
      if (i === 0) this.ctx.moveTo(x, y);
      else this.ctx.lineTo(x, y);
    });
    this.ctx.closePath();
  }

  /** A closed smooth path: quadratic curves through the middles of the sides. */
  traceSmooth(points: readonly (readonly [number, number])[]): void {
    const count = points.length;
    this.ctx.beginPath();
    for (let i = 0; i <= count; i++) {
      const [ax, ay] = points[i % count]!;
      const [bx, by] = points[(i + 1) % count]!;
      const mx = (ax + bx) / 2;
      const my = (ay + by) / 2;
      if (i === 0) this.ctx.moveTo(mx, my);
      else this.ctx.quadraticCurveTo(ax, ay, mx, my);
    }
    this.ctx.closePath();
  }

  smooth(points: readonly (readonly [number, number])[], paint: Paint): void {
    this.traceSmooth(points);
    this.fill(paint);
  }

  line(points: readonly (readonly [number, number])[], paint: Paint, width: number): void {
    this.ctx.beginPath();
    points.forEach(([x, y], i) => {
      if (i === 0) this.ctx.moveTo(x, y);
      else this.ctx.lineTo(x, y);
    });
    this.stroke(paint, width);
  }

  /** From the lit side to the shaded side of something as wide as `r` around (x, y). */
  acrossShade(x: number, y: number, r: number, surface: Rgb): Paint {
    if (this.flat) return '';
    const s = this.light.side;
    const g = this.ctx.createLinearGradient(x + r * s, y - r * 0.5, x - r * s, y + r * 0.5);
    g.addColorStop(0, this.colour(surface, 1.06));
    g.addColorStop(0.45, this.colour(surface, 0.78));
    g.addColorStop(1, this.colour(surface, 0.12));
    return g;
  }

  /** The shading of a ball, with a highlight where the style is glossy. */
  ballShade(x: number, y: number, r: number, surface: Rgb): Paint {
    if (this.flat) return '';
    const lx = x + this.light.side * r * 0.45;
    const ly = y - r * 0.45;
    const g = this.ctx.createRadialGradient(lx, ly, r * 0.05, lx, ly, r * 1.65);
    const shine = this.look.gloss;
    const top: Rgb = [
      surface[0] + (255 - surface[0]) * shine,
      surface[1] + (255 - surface[1]) * shine,
      surface[2] + (255 - surface[2]) * shine,
    ];
    g.addColorStop(0, this.colour(top, 1.12));
    g.addColorStop(0.28, this.colour(surface, 0.95));
    g.addColorStop(0.62, this.colour(surface, 0.55));
    g.addColorStop(1, this.colour(surface, 0.02));
    return g;
  }

  ball(x: number, y: number, rx: number, ry: number, surface: Rgb, turn = 0): void {
    this.ellipse(x, y, rx, ry, this.ballShade(x, y, Math.max(rx, ry), surface), turn);
  }

  /** A tapered limb with round ends, shaded across its width. */
  limb(x1: number, y1: number, r1: number, x2: number, y2: number, r2: number, surface: Rgb): void {
    const angle = Math.atan2(y2 - y1, x2 - x1);
    this.ctx.beginPath();
    this.ctx.arc(x1, y1, r1, angle + Math.PI / 2, angle + Math.PI * 1.5);
    this.ctx.arc(x2, y2, r2, angle - Math.PI / 2, angle + Math.PI / 2);
    this.ctx.closePath();
    if (this.flat) {
      this.fill('');
      return;
    }
    const r = Math.max(r1, r2);
    const nx = -Math.sin(angle);
    const ny = Math.cos(angle);
    const facing = nx * this.light.side - ny * 0.6 >= 0 ? 1 : -1;
    const mx = (x1 + x2) / 2;
    const my = (y1 + y2) / 2;
    const g = this.ctx.createLinearGradient(
      mx + nx * r * facing,
      my + ny * r * facing,
      mx - nx * r * facing,
      my - ny * r * facing,
    );
    g.addColorStop(0, this.colour(surface, 1.02));
    g.addColorStop(0.4, this.colour(surface, 0.75));
    g.addColorStop(1, this.colour(surface, 0.1));
    this.fill(g);
  }
}
