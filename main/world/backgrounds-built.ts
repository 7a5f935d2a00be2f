import { css, hsl, mixColour, type Rgb, scaleColour } from './colour.ts';
import type { Light } from './light.ts';
import { band, bottom, drawGround, drawSky, glow, paint, type Scenery } from './scenery.ts';
import { texture } from './textures.ts';

function drawHouse(
  scenery: Scenery,
  x: number,
  wide: number,
  top: number,
  base: number,
  wall: Rgb,
  depth: number,
  far: boolean,
): void {
  const { random, light } = scenery;
  const ctx = far ? scenery.far : scenery.near;
  const g = ctx.createLinearGradient(x, 0, x + wide, 0);
  const right = light.side > 0;
  g.addColorStop(right ? 1 : 0, paint(scenery, wall, 0.95, depth));
  g.addColorStop(right ? 0 : 1, paint(scenery, wall, 0.45, depth));
  ctx.fillStyle = g;
  ctx.fillRect(x, top, wide, base - top);
  ctx.fillStyle = paint(scenery, mixColour(wall, [60, 50, 60], 0.5), 0.6, depth);
  ctx.fillRect(x - 0.008, top - 0.014, wide + 0.016, 0.02);
  const columns = Math.max(2, Math.round(wide / 0.075));
  const step = wide / columns;
  for (let row = 0; top + 0.05 + row * 0.1 < base - 0.1; row++) {
    for (let column = 0; column < columns; column++) {
      const wx = x + (column + 0.26) * step;
      const wy = top + 0.035 + row * 0.1;
      const on = random.chance(light.lamps ? 0.5 : 0.08);
      ctx.fillStyle = on ? css([255, 214, 130], 0.95) : paint(scenery, [70, 88, 108], 0.75, depth);
      ctx.fillRect(wx, wy, step * 0.48, 0.056);
      ctx.fillStyle = paint(scenery, [236, 232, 224], 0.8, depth);
      ctx.fillRect(wx - 0.004, wy + 0.056, step * 0.48 + 0.008, 0.007);
    }
  }
}

export function drawStreet(scenery: Scenery): void {
  const { near, random, extent, horizon } = scenery;
  drawSky(scenery);
  let x = -extent;
  while (x < extent) {
    const wide = random.range(0.2, 0.36);
    drawHouse(
      scenery,
      x,
      wide - 0.012,
      -random.range(0.26, 0.66),
      horizon + 0.03,
      hsl(random.range(0, 60) + 360 * scenery.tint * 0.1, random.range(0.15, 0.45), random.range(0.45, 0.75)),
      0.25,
      true,
    );
    x += wide;
  }
  drawGround(scenery, [120, 118, 118], [84, 84, 90], 0.2);
  // Pavement, kerb, lane marks
  band(
    near,
    scenery,
    horizon,
    horizon + 0.08,
    paint(scenery, [178, 172, 164], 0.8, 0.3),
    paint(scenery, [190, 184, 176], 0.8, 0.15),
  );
  near.fillStyle = paint(scenery, [112, 108, 106], 0.5, 0.1);
  near.fillRect(-extent, horizon + 0.08, extent * 2, 0.014);
  near.fillStyle = paint(scenery, [240, 236, 214], 0.9, 0.05);
  for (let mark = -5; mark <= 5; mark++) {
    near.beginPath();
    near.moveTo(mark * 0.42 - 0.1, horizon + 0.225);
    near.lineTo(mark * 0.42 + 0.1, horizon + 0.225);
    near.lineTo(mark * 0.43 + 0.11, horizon + 0.245);
    near.lineTo(mark * 0.43 - 0.11, horizon + 0.245);
    near.fill();
  }
  for (const side of [-1, 1]) {
    const px = side * extent * random.range(0.45, 0.75);
    near.fillStyle = paint(scenery, [52, 56, 60], 0.5, 0.1);
    near.fillRect(px - 0.008, -0.3, 0.016, horizon + 0.36);
    near.fillRect(px - 0.03, -0.32, 0.06, 0.02);
    if (scenery.light.lamps) {
      glow(near, px, -0.29, 0.16, [255, 220, 150], 0.9);
      glow(scenery.far, px, -0.29, 0.3, [255, 210, 140], 0.55);
    }
  }
  texture(near, 'fine', [-extent, horizon, extent * 2, bottom - horizon], [1, 0.5], 0.1);
}

export function drawCityAtNight(scenery: Scenery): void {
  const { far, near, random, extent, horizon, light } = scenery;
  const neon = light.kind === 'neon';
  const thick = light.kind === 'fog' || light.kind === 'mist' || light.air === 'snow';
  const top: Rgb = neon ? light.skyTop : thick ? [62, 68, 84] : light.clouds ? [26, 30, 44] : [8, 10, 28];
  const low: Rgb = neon ? light.skyBottom : thick ? [128, 130, 140] : light.clouds ? [84, 80, 96] : [64, 46, 82];
  band(far, scenery, -bottom, horizon + 0.02, css(top), css(low));
  for (let layer = 0; layer < 2; layer++) {
    let x = -extent - 0.05;
    while (x < extent) {
      const wide = random.range(0.1, 0.22);
      const roof = horizon - random.range(0.25, 0.72) * (layer ? 0.7 : 1);
      const wall = mixColour(layer ? [26, 28, 46] : [46, 46, 74], low, layer ? 0.05 : 0.35);
      far.fillStyle = css(wall);
      far.fillRect(x, roof, wide - 0.006, horizon + 0.03 - roof);
      const warm = random.chance(0.6);
      for (let wy = roof + 0.02; wy < horizon - 0.01; wy += 0.032) {
        for (let wx = x + 0.012; wx < x + wide - 0.026; wx += 0.028) {
          if (random.chance(0.45)) continue;
          far.fillStyle = css(warm ? [255, 206, 120] : [190, 220, 255], random.range(0.25, layer ? 1 : 0.6));
          far.fillRect(wx, wy, 0.014, 0.016);
        }
      }
      x += wide;
    }
  }
  const signs: readonly Rgb[] = [
    [255, 50, 120],
    [60, 220, 255],
    [255, 200, 60],
    [120, 255, 140],
  ];
  for (let i = 0; i < 4; i++) {
    const sx = random.range(-0.9, 0.9) * extent;
    const sy = random.range(-0.28, horizon - 0.1);
    const colour = signs[random.index(4)]!;
    glow(far, sx, sy, 0.15, colour, 0.8);
    far.strokeStyle = css(mixColour(colour, [255, 255, 255], 0.4));
    far.lineWidth = 0.012;
    const h = random.range(0.06, 0.13);
    far.strokeRect(sx - 0.025, sy - h / 2, 0.05, h);
  }
  // Wet asphalt that reflects the lights
  band(near, scenery, horizon, bottom, css(mixColour(low, [30, 30, 44], 0.6)), css([18, 18, 28]));
  for (let i = 0; i < 26; i++) {
    const rx = random.range(-extent, extent);
    const ry = random.range(horizon + 0.02, bottom - 0.1);
    const colour = random.chance(0.5) ? ([255, 206, 130] as Rgb) : signs[random.index(4)]!;
    const h = random.range(0.05, 0.22);
    const g = near.createLinearGradient(0, ry, 0, ry + h);
    g.addColorStop(0, css(colour, 0.001));
    g.addColorStop(0.4, css(colour, 0.34));
    g.addColorStop(1, css(colour, 0.001));
    near.fillStyle = g;
    near.fillRect(rx, ry, random.range(0.01, 0.05), h);
  }
  texture(near, 'rough', [-extent, horizon, extent * 2, bottom - horizon], [0.8, 0.12], 0.14);
  for (let i = 0; i < 10; i++)
    glow(near, random.range(-extent, extent), horizon + random.range(-0.02, 0.03), 0.07, signs[2]!, 0.5);
}

export function drawRoom(scenery: Scenery): void {
  const { far, near, random, extent, horizon, light } = scenery;
  const wall = hsl(scenery.tint * 360, 0.22, 0.68);
  band(far, scenery, -bottom, horizon + 0.02, paint(scenery, wall, 0.62, 0.05), paint(scenery, wall, 0.9, 0.12));
  texture(far, 'soft', [-extent, -bottom, extent * 2, bottom + horizon], [2, 1.6], 0.06);
  band(
    near,
    scenery,
    horizon,
    bottom,
    paint(scenery, [150, 104, 66], 0.55, 0.15),
    paint(scenery, [186, 132, 84], 0.85, 0),
  );
  near.strokeStyle = 'rgba(50,25,10,0.35)';
  near.lineWidth = 0.006;
  for (let i = -12; i <= 12; i++) {
    near.beginPath();
    near.moveTo(i * 0.1, horizon);
    near.lineTo(i * 0.32, bottom);
    near.stroke();
  }
  texture(near, 'rough', [-extent, horizon, extent * 2, bottom - horizon], [1.4, 0.1], 0.14);
  far.fillStyle = paint(scenery, [240, 236, 228], 0.85, 0.05);
  far.fillRect(-extent, horizon - 0.035, extent * 2, 0.05);
  // A window with the sky of the light
  const side = Math.sign(light.side);
  const wx = side * extent * 0.42;
  const w = 0.27;
  const g = far.createLinearGradient(0, -0.42, 0, -0.08);
  g.addColorStop(0, css(light.skyTop));
  g.addColorStop(1, css(light.skyBottom));
  far.fillStyle = paint(scenery, [244, 240, 232], 0.9);
  far.fillRect(wx - w / 2 - 0.02, -0.42, w + 0.04, 0.4);
  far.fillStyle = g;
  far.fillRect(wx - w / 2, -0.4, w, 0.36);
  far.fillStyle = paint(scenery, [244, 240, 232], 0.8);
  far.fillRect(wx - 0.008, -0.4, 0.016, 0.36);
  far.fillRect(wx - w / 2, -0.235, w, 0.016);
  const lampLit = light.lamps && light.kind !== 'neon';
  if (!lampLit) glow(far, wx, -0.22, 0.45, light.rim, 0.28);
  // A picture, a sofa or a shelf, a lamp
  const px = -side * extent * random.range(0.3, 0.5);
  far.fillStyle = paint(scenery, [70, 50, 40], 0.7);
  far.fillRect(px - 0.1, -0.36, 0.2, 0.15);
  far.fillStyle = paint(scenery, hsl(random.range(0, 360), 0.5, 0.6), 0.9);
  far.fillRect(px - 0.088, -0.348, 0.176, 0.126);
  far.fillStyle = paint(scenery, hsl(random.range(0, 360), 0.5, 0.4), 0.8);
  far.beginPath();
  far.moveTo(px - 0.088, -0.222);
  far.lineTo(px - 0.02, -0.31);
  far.lineTo(px + 0.03, -0.26);
  far.lineTo(px + 0.088, -0.222);
  far.fill();
  const sofa = hsl(random.range(0, 360), 0.35, 0.42);
  const sx = -side * extent * 0.5;
  near.fillStyle = paint(scenery, sofa, 0.7, 0.05);
  near.beginPath();
  near.roundRect(sx - 0.25, horizon - 0.14, 0.5, 0.17, 0.03);
  near.fill();
  near.fillStyle = paint(scenery, sofa, 0.95, 0.05);
  near.beginPath();
  near.roundRect(sx - 0.27, horizon - 0.03, 0.54, 0.1, 0.03);
  near.fill();
  const lx = side * extent * 0.72;
  near.fillStyle = paint(scenery, [60, 54, 50], 0.6);
  near.fillRect(lx - 0.006, horizon - 0.3, 0.012, 0.33);
  near.fillStyle = lampLit ? css([255, 226, 160]) : paint(scenery, [240, 220, 176], 0.95);
  near.beginPath();
  near.moveTo(lx - 0.03, horizon - 0.4);
  near.lineTo(lx + 0.03, horizon - 0.4);
  near.lineTo(lx + 0.055, horizon - 0.3);
  near.lineTo(lx - 0.055, horizon - 0.3);
  near.fill();
  if (lampLit) glow(far, lx, horizon - 0.34, 0.5, [255, 190, 110], 0.6);
  // A rug
  near.fillStyle = paint(scenery, hsl(random.range(0, 360), 0.4, 0.5), 0.8);
  near.beginPath();
  near.ellipse(0, 0.42, 0.5, 0.1, 0, 0, 7);
  near.fill();
}

export function drawStage(scenery: Scenery): void {
  const { far, near, random, extent, horizon, light } = scenery;
  const cloth = mixColour([128, 18, 34], [70, 20, 90], scenery.tint > 0.6 ? 1 : 0);
  band(far, scenery, -bottom, horizon + 0.02, paint(scenery, [40, 30, 48], 0.5), paint(scenery, [74, 52, 78], 0.7));
  const folds = Math.round(extent * 16);
  for (let i = 0; i < folds; i++) {
    const x = -extent + (2 * extent * i) / folds;
    const middle = Math.abs(x) < extent * 0.45;
    const w = (2 * extent) / folds;
    const g = far.createLinearGradient(x, 0, x + w, 0);
    const tone = middle ? mixColour(cloth, [20, 14, 26], 0.55) : cloth;
    g.addColorStop(0, paint(scenery, tone, 0.15));
    g.addColorStop(0.5, paint(scenery, tone, 1.1));
    g.addColorStop(1, paint(scenery, tone, 0.15));
    far.fillStyle = g;
    far.fillRect(x, -bottom, w + 0.002, bottom + horizon + 0.02);
  }
  for (let i = 0; i < folds / 2; i++) {
    // The valance above
    const x = -extent + (4 * extent * i) / folds;
    far.fillStyle = paint(scenery, cloth, i % 2 ? 0.6 : 0.9);
    far.beginPath();
    far.ellipse(x + (2 * extent) / folds, -0.43, (2.2 * extent) / folds, 0.075, 0, 0, 7);
    far.fill();
  }
  far.fillStyle = paint(scenery, cloth, 0.7);
  far.fillRect(-extent, -bottom, extent * 2, bottom - 0.44);
  band(near, scenery, horizon, bottom, paint(scenery, [120, 78, 48], 0.4), paint(scenery, [160, 106, 64], 0.8));
  near.strokeStyle = 'rgba(30,12,4,0.4)';
  near.lineWidth = 0.005;
  for (let y = 0; y < 7; y++) {
    const line = horizon + (bottom - horizon) * (y / 7) ** 1.6;
    near.beginPath();
    near.moveTo(-extent, line);
    near.lineTo(extent, line);
    near.stroke();
  }
  const beam = stageBeam(light);
  for (const side of [-1, 1]) {
    const from = side * extent * random.range(0.5, 0.7);
    const to = -side * random.range(0, 0.12);
    const g = far.createLinearGradient(0, -0.7, 0, 0.45);
    g.addColorStop(0, css(beam, 0.5));
    g.addColorStop(1, css(beam, 0.08));
    for (const ctx of [far]) {
      ctx.save();
      ctx.globalCompositeOperation = 'screen';
      ctx.fillStyle = g;
      ctx.beginPath();
      ctx.moveTo(from - 0.02, -bottom);
      ctx.lineTo(from + 0.02, -bottom);
      ctx.lineTo(to + 0.3, 0.5);
      ctx.lineTo(to - 0.3, 0.5);
      ctx.fill();
      ctx.restore();
    }
  }
  near.save();
  near.translate(0, 0.4);
  near.scale(1, 0.25);
  near.globalCompositeOperation = 'source-atop';
  glow(near, 0, 0, 0.55, beam, 0.75);
  near.restore();
}

/** The colour of a stage's own lights; they are all but out where candles or a fire are to light it. */
function stageBeam(light: Light): Rgb {
  if (light.pool) return scaleColour(light.rim, 0.2);
  if (light.kind === 'neon') return [255, 90, 220];
  if (light.kind === 'sunset') return [255, 190, 110];
  if (light.kind === 'night') return [150, 170, 255];
  return light.kind === 'day' || light.kind === 'fog' ? [255, 246, 220] : light.rim;
}

export function drawPlainWall(scenery: Scenery): void {
  const { far, near, extent, horizon, light } = scenery;
  const wall = mixColour(hsl(scenery.tint * 360, 0.25, 0.74), [206, 202, 196], 0.5);
  band(far, scenery, -bottom, bottom, paint(scenery, wall, 0.9), paint(scenery, wall, 0.7));
  const g = far.createLinearGradient(light.side * extent, -0.5, -light.side * extent, 0.4);
  g.addColorStop(0, css(light.rim, 0.22));
  g.addColorStop(0.5, css(light.rim, 0.001));
  g.addColorStop(1, 'rgba(0,0,10,0.28)');
  far.fillStyle = g;
  far.fillRect(-extent, -bottom, extent * 2, bottom * 2);
  texture(far, 'soft', [-extent, -bottom, extent * 2, bottom * 2], [1.3, 1.3], 0.06);
  texture(far, 'fine', [-extent, -bottom, extent * 2, bottom * 2], [0.8, 0.8], 0.05);
  const floor = mixColour(wall, [120, 112, 104], 0.55);
  band(near, scenery, horizon + 0.12, bottom, paint(scenery, floor, 0.5, 0.1), paint(scenery, floor, 0.85));
  texture(near, 'fine', [-extent, horizon + 0.12, extent * 2, bottom - horizon], [0.9, 0.4], 0.08);
}
