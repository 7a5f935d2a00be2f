import { type LookAttribute, lookAttributes } from '../../../shared/domain/evaluation.ts';
import { type Scene, type SceneOptions, sampleScene } from '../../world/scene.ts';
import { type Edition, filmsOf, lightsOf, seasonsOf, stylesOf } from '../../world/vocabulary.ts';

/** A scene in one look, plain in all others. */
export interface LookScene {
  attribute: LookAttribute;
  value: string;
  scene: Scene;
}

const plain: SceneOptions = { light: 'day', season: 'none', style: 'photo', film: 'none' };

/** Every look that an edition of the world has, each on the first `count` of these seeds whose scene can be in it. */
export function lookScenes(edition: Edition, seeds: readonly number[], count: number): LookScene[] {
  const found = new Map<string, LookScene[]>();
  for (const seed of seeds) {
    const values = valuesOf(sampleScene(seed, { edition, ...plain }));
    for (const attribute of lookAttributes)
      for (const value of values[attribute]) {
        const kept = found.get(`${attribute}: ${value}`) ?? [];
        found.set(`${attribute}: ${value}`, kept);
        if (kept.length < count)
          kept.push({ attribute, value, scene: sampleScene(seed, { edition, ...plain, [attribute]: value }) });
      }
  }
  return [...found.values()]
    .flat()
    .sort((a, b) => lookAttributes.indexOf(a.attribute) - lookAttributes.indexOf(b.attribute));
}

/** The looks that a scene can be in, by attribute. */
function valuesOf({ edition, background, subjects }: Scene): Record<LookAttribute, readonly string[]> {
  const kinds = subjects.map(({ kind }) => kind);
  return {
    light: lightsOf(background.kind, edition, kinds),
    season: seasonsOf(background.kind, edition).filter((season) => season !== 'none'),
    style: stylesOf(edition),
    film: filmsOf(edition).filter((film) => film !== 'none'),
  };
}
