import { expect, test } from 'vitest';
import { createPhaseMeter } from '../../../../main/engine/sampling/phase-meter.ts';

test('each phase is measured by its own time, from the end of the one before', () => {
  let at = 0;
  const measure = createPhaseMeter(0, () => at);
  at = 10_000;
  expect(measure('sample', 10, 20)).toEqual({ perSecond: 1, etaSeconds: 10 });
  at = 20_000;
  expect(measure('sample', 20, 20)).toEqual({ perSecond: 1, etaSeconds: 0 });
  at = 20_500;
  expect(measure('decode', 1, 5)).toEqual({ perSecond: 2, etaSeconds: 2 });
  at = 21_000;
  expect(measure('decode', 2, 5)).toEqual({ perSecond: 2, etaSeconds: 1.5 });
});

test('before anything is done there is no rate', () => {
  expect(createPhaseMeter(0, () => 5)('decode', 0, 5)).toEqual({ perSecond: null, etaSeconds: null });
});
