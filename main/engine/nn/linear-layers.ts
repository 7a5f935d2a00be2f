import type { ParameterSpecs } from './parameters.ts';

/** A linear layer of a model: its diffusers path and the sizes of its weight. */
export interface LinearLayer {
  path: string;
  inSize: number;
  outSize: number;
}

/** Every linear layer among a model's parameters (no weights need be read for that). */
export function linearLayers(specs: ParameterSpecs): LinearLayer[] {
  return [...specs]
    .filter(([name, { stored }]) => name.endsWith('.weight') && stored.length === 2)
    .map(([name, { stored }]) => ({
      path: name.slice(0, -'.weight'.length),
      inSize: stored[1]!,
      outSize: stored[0]!,
    }));
}
