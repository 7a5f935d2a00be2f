/** What the plots share: text, ticks and colours of an SVG. */

export const colours = ['#2f6fde', '#d9552b', '#3a9a5c', '#8a53c6', '#b8860b', '#16808a', '#7a7f87'];

export function text(x: number, y: number, content: string, anchor: string, colour = '#4a4f57'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${colour}">${escapeXml(content)}</text>`;
}

/** 1, 2 and 5 times powers of ten inside the range. */
export function logarithmicTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of [1, 2, 5]) {
      const value = Number(`${factor}e${power}`);
      if (value >= low && value <= high) ticks.push(value);
    }
  }
  return ticks;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export function escapeXml(content: string): string {
  return content.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);
}
