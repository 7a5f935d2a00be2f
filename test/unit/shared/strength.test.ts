import { describe, expect, it } from 'vitest';
import {
  guidanceFor,
  startSettings,
  startStrength,
  strengthOf,
  strengthSettings,
} from '../../../shared/domain/strength.ts';

describe('strength', () => {
  it('holds less of the clip the stronger it is, through the places that were measured', () => {
    expect(strengthSettings(0)).toEqual({ fidelity: 0.5, guidance: 20 });
    expect(strengthSettings(0.5)).toEqual({ fidelity: 0.3, guidance: 12 });
    expect(strengthSettings(1)).toEqual({ fidelity: 0.1, guidance: 8 });
    const fidelities = Array.from({ length: 21 }, (_, step) => strengthSettings(step / 20).fidelity);
    expect(fidelities).toEqual(fidelities.toSorted((a, b) => b - a));
    expect(new Set(fidelities).size).toBe(21);
  });

  it('is found again from what it set', () => {
    for (const strength of [0, 0.3, 0.5, 0.75, 1]) expect(strengthOf(strengthSettings(strength))).toBe(strength);
  });

  it('has a guidance for every fidelity, mild from pure noise', () => {
    for (const strength of [0, 0.25, 0.6, 1]) {
      const { fidelity, guidance } = strengthSettings(strength);
      expect(guidanceFor(fidelity)).toBe(guidance);
    }
    expect(guidanceFor(0)).toBe(4);
    expect(guidanceFor(0.9)).toBe(20);
  });

  it('begins in the middle where there is a clip, and from noise elsewhere', () => {
    expect(startSettings(true)).toEqual(strengthSettings(startStrength));
    expect(startSettings(false)).toEqual({ fidelity: 0, guidance: 4 });
  });
});
