import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { airOf, drawAirBefore, drawAirBehind } from './air.ts';
import { backgrounds } from './backgrounds.ts';
import { Brush, lookOf } from './brush.ts';
import { overscan, type View, viewAt } from './camera.ts';
import { css, type Rgb } from './colour.ts';
import type { Frame } from './frame.ts';
import { drawGroundLights } from './ground-light.ts';
import { type Light, lightAt, lightOf } from './light.ts';
import type { Air } from './particles.ts';
import { travel } from './pose.ts';
import { createRandom } from './random.ts';
import type { Scene, Subject } from './scene.ts';
import type { Scenery } from './scenery.ts';
import { drawSeason } from './season.ts';
import { type Drawing, drawings } from './subjects.ts';
import { texture } from './textures.ts';
import { isFigure } from './vocabulary.ts';

/** Canvases and light of one scene at one size. */
export interface Stage {
  scene: Scene;
  width: number;
  height: number;
  frame: Frame;
  light: Light;
  air: Air | null;
  far: Canvas;
  near: Canvas;
  extent: number;
  ctx: SKRSContext2D;
  layer: Canvas;
  scratch: Canvas;
  small: Canvas;
}

/** Draws the scenery and makes the canvases that every frame uses. */
export function prepare(scene: Scene, width: number, height: number): Stage {
  const aspect = width / height;
  const light = lightOf(scene);
  const horizon = 0.06 + 0.12 * scene.background.horizon;
  const extent = (aspect * overscan) / 2;
  const pixels = height * 1.15;
  const [farCanvas, nearCanvas] = [0, 1].map(() =>
    createCanvas(Math.ceil(extent * 2 * pixels), Math.ceil(overscan * pixels)),
  ) as [Canvas, Canvas];
  const contexts = [farCanvas, nearCanvas].map((canvas) => {
    const ctx = canvas.getContext('2d');
    ctx.scale(canvas.width / (extent * 2), canvas.height / overscan);
    ctx.translate(extent, overscan / 2);
    return ctx;
  }) as [SKRSContext2D, SKRSContext2D];
  const { detail, kind } = scene.background;
  const random = createRandom(detail, kind);
  const scenery: Scenery = {
    far: contexts[0],
    near: contexts[1],
    light,
    season: scene.season,
    random,
    skyRandom: scene.edition === 1 ? random : createRandom(detail, 'sky'),
    extent,
    horizon,
    tint: scene.background.tint,
  };
  backgrounds[kind](scenery);
  drawSeason(scenery, kind, detail);
  if (scene.edition > 1) drawGroundLights(scenery, farCanvas, kind, detail);
  // The far has to be opaque: where it were not, the frame before would shine through.
  scenery.far.globalCompositeOperation = 'destination-over';
  scenery.far.fillStyle = css(light.skyBottom);
  scenery.far.fillRect(-extent, -overscan / 2, extent * 2, overscan);
  const lens =
    scene.style.kind === 'photo' ? 1.9 + scene.style.strength : scene.style.kind === '3D animation' ? 1.6 : 1;
  const frame = { aspect, horizon };
  return {
    scene,
    width,
    height,
    frame,
    light,
    air: airOf(scene, light, frame, extent),
    far: lens > 1 ? soften(farCanvas, lens) : farCanvas,
    near: lens > 1 ? soften(nearCanvas, 1.25) : nearCanvas,
    extent,
    ctx: createCanvas(width, height).getContext('2d'),
    layer: createCanvas(width, height),
    scratch: createCanvas(width, height),
    small: createCanvas(Math.ceil(width / 4), Math.ceil(height / 4)),
  };
}

/** What the lens leaves out of focus: the picture scaled down and up again. */
function soften(canvas: Canvas, amount: number): Canvas {
  const small = createCanvas(Math.ceil(canvas.width / amount), Math.ceil(canvas.height / amount));
  const ctx = small.getContext('2d');
  ctx.imageSmoothingQuality = 'high';
  ctx.drawImage(canvas, 0, 0, small.width, small.height);
  return small;
}

function setView(ctx: SKRSContext2D, stage: Stage, view: View): void {
  const { width, height } = stage;
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.translate(width / 2, height / 2);
  ctx.scale(height * view.zoom, height * view.zoom);
  ctx.rotate(view.roll);
  ctx.translate(view.x, view.y);
}

/** What is far away moves and grows less, but stays on the horizon. */
function setFarView(ctx: SKRSContext2D, stage: Stage, view: View): void {
  setView(ctx, stage, view);
  const zoom = (1 + (view.zoom - 1) * 0.8) / view.zoom;
  ctx.translate(-view.x * 0.45, stage.frame.horizon);
  ctx.scale(zoom, zoom);
  ctx.translate(0, -stage.frame.horizon);
}

/** Where a subject's feet are, in frame units, and how tall it is. */
function placeOf(
  stage: Stage,
  subject: Subject,
  drawing: Drawing,
  seconds: number,
): { x: number; y: number; size: number } {
  const { aspect } = stage.frame;
  const moving = ['walk', 'run', 'drive', 'fly'].includes(subject.motion.kind);
  const half = Math.min(aspect, 1.3) / 2;
  const long = ['dog', 'cat', 'car', 'fish', 'bird'].includes(subject.kind);
  const fit = Math.min(1, long ? 0.24 + 0.74 * aspect : 0.42 + 0.6 * aspect);
  const x = (subject.place * (moving ? 0.35 : 1) + (moving ? travel(subject.motion, seconds) : 0)) * half;
  const size = drawing.height(subject) * fit;
  // Whoever is too close to be seen whole keeps the head in the frame.
  const close = isFigure(subject.kind) ? Math.max(0, size - 0.85) : 0;
  const headroom = isFigure(subject.kind) ? size * 1.05 - 0.42 : 0;
  return { x: x - 0.15 * close, y: Math.max(0.46 - 0.08 * subject.distance, headroom), size };
}

/** The furthest subject first. */
export function inDepth(stage: Stage): Subject[] {
  return [...stage.scene.subjects].sort((a, b) => b.distance - a.distance);
}

/** Draws one moment onto the stage's canvas, without style. */
export function drawFrame(stage: Stage, seconds: number): void {
  const { ctx, scene, frame, extent } = stage;
  const view = viewAt(scene, seconds, frame.aspect);
  setFarView(ctx, stage, view);
  ctx.drawImage(stage.far, -extent, -overscan / 2, extent * 2, overscan);
  setView(ctx, stage, view);
  ctx.drawImage(stage.near, -extent, -overscan / 2, extent * 2, overscan);
  if (stage.air) drawAirBehind(ctx, stage.air, seconds);
  for (const subject of inDepth(stage)) drawSubject(stage, subject, seconds, view);
  if (stage.air) {
    setView(ctx, stage, view);
    drawAirBefore(ctx, stage.air, seconds);
  }
  ctx.setTransform(1, 0, 0, 1, 0, 0);
}

/** Enters the space of a subject: its feet at the origin, 1 unit tall. */
export function enter(
  ctx: SKRSContext2D,
  stage: Stage,
  subject: Subject,
  drawing: Drawing,
  seconds: number,
  view: View,
): void {
  setView(ctx, stage, view);
  if (drawing.space === 'whole') return;
  const { x, y, size } = placeOf(stage, subject, drawing, seconds);
  ctx.translate(x, y);
  ctx.scale(size, size);
}

function drawSubject(stage: Stage, subject: Subject, seconds: number, view: View): void {
  const { ctx, frame, scene, layer } = stage;
  const light = lightAt(stage.light, scene, subject.distance);
  const drawing = drawings[subject.kind];
  const look = lookOf(scene);
  if (drawing.glow) {
    enter(ctx, stage, subject, drawing, seconds, view);
    drawing.glow(new Brush(ctx, light, look), subject, seconds, frame);
  }
  const on = layer.getContext('2d');
  on.setTransform(1, 0, 0, 1, 0, 0);
  on.clearRect(0, 0, stage.width, stage.height);
  enter(on, stage, subject, drawing, seconds, view);
  drawing.draw(new Brush(on, light, look), subject, seconds, frame);
  if (drawing.space === 'standing') {
    finish(stage, on, subject);
    castShadow(stage, ctx, subject, drawing, seconds, view, [8, 8, 18], light.shadowStrength);
  }
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.drawImage(layer, 0, 0);
}

/** Cloth and skin get a texture, the edge towards the light a bright rim. */
function finish(stage: Stage, on: SKRSContext2D, subject: Subject): void {
  const { light, width, height, scratch, layer } = stage;
  texture(on, 'paper', [-0.6, -1.4, 1.2, 1.5], [0.8, 0.8], 0.02 + 0.025 * subject.identity.tint);
  const rim = scratch.getContext('2d');
  rim.globalCompositeOperation = 'copy';
  rim.drawImage(layer, 0, 0);
  rim.globalCompositeOperation = 'source-in';
  rim.fillStyle = css(light.rim);
  rim.fillRect(0, 0, width, height);
  rim.globalCompositeOperation = 'destination-out';
  const shift = Math.max(1, height / 110);
  rim.drawImage(layer, -light.side * shift, shift * 0.55);
  on.setTransform(1, 0, 0, 1, 0, 0);
  on.globalAlpha = light.rimStrength;
  on.drawImage(scratch, 0, 0);
  on.globalAlpha = 1;
}

/** A soft contact shadow, and the silhouette laid on the ground away from the light. */
export function castShadow(
  stage: Stage,
  ctx: SKRSContext2D,
  subject: Subject,
  drawing: Drawing,
  seconds: number,
  view: View,
  colour: Rgb,
  strength: number,
): void {
  if (drawing.shadow === 0) return;
  const { light, small, width, height } = stage;
  const { x, y, size } = placeOf(stage, subject, drawing, seconds);
  const scale = height * view.zoom;
  /** Lays the silhouette down as seen through a transform around the feet: pixels of the layer back to frame units. */
  const lay = (reach: number, tall: number) => {
    setView(ctx, stage, view);
    ctx.translate(0, y);
    ctx.transform(1, 0, reach, tall, 0, 0);
    ctx.translate(0, -y);
    ctx.translate(-view.x, -view.y);
    ctx.rotate(-view.roll);
    ctx.scale(1 / scale, 1 / scale);
    ctx.drawImage(small, -width / 2, -height / 2, width, height);
  };
  if (light.wet) {
    fillSilhouette(stage, colour, Math.max(strength, 0.45 * light.wet));
    lay(0, -1);
  }
  fillSilhouette(stage, colour, strength);
  lay(light.side * light.shadowReach, 0.24);
  setView(ctx, stage, view);
  ctx.translate(x, y);
  ctx.scale(size, size * 0.28);
  const g = ctx.createRadialGradient(0, 0, 0, 0, 0, drawing.shadow);
  g.addColorStop(0, css(colour, strength));
  g.addColorStop(0.5, css(colour, strength * 0.55));
  g.addColorStop(1, css(colour, 0));
  ctx.fillStyle = g;
  ctx.fillRect(-drawing.shadow, -drawing.shadow, drawing.shadow * 2, drawing.shadow * 2);
}

/** The shape on the layer in one colour, on the small canvas. */
function fillSilhouette({ small, layer }: Stage, colour: Rgb, strength: number): void {
  const blot = small.getContext('2d');
  blot.setTransform(1, 0, 0, 1, 0, 0);
  blot.globalCompositeOperation = 'copy';
  blot.drawImage(layer, 0, 0, small.width, small.height);
  blot.globalCompositeOperation = 'source-in';
  blot.fillStyle = css(colour, strength);
  blot.fillRect(0, 0, small.width, small.height);
}
