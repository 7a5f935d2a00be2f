import { drawPet, petHeight } from './animals.ts';
import { birdHeight, drawBird } from './bird.ts';
import { drawBoat } from './boat.ts';
import type { Brush } from './brush.ts';
import {
  drawClouds,
  drawFlag,
  drawFlower,
  drawWindTree,
  flagHeight,
  flowerHeight,
  treeHeight,
} from './elements-air.ts';
import {
  bonfireGlow,
  bonfireHeight,
  candleGlow,
  candleHeight,
  drawBonfire,
  drawCandle,
  drawSmoke,
  smokeHeight,
} from './elements-fire.ts';
import { drawRain, drawWaterfall, drawWaves } from './elements-water.ts';
import { drawFish, fishHeight } from './fish.ts';
import type { Frame } from './frame.ts';
import { drawPerson, personHeight } from './people.ts';
import { drawRobot, robotHeight } from './robot.ts';
import type { Subject } from './scene.ts';
import { balloonHeight, carHeight, drawBalloon, drawCar } from './vehicles.ts';
import type { SubjectKind } from './vocabulary.ts';

/** How one kind of subject is drawn. */
export interface Drawing {
  /** `standing`: at the origin, on the ground, 1 unit tall. `whole`: anywhere in the frame, in frame units. */
  space: 'standing' | 'whole';
  draw(brush: Brush, subject: Subject, seconds: number, frame: Frame): void;
  /** Height as a share of the frame's (standing subjects). */
  height(subject: Subject): number;
  /** Half width of the contact shadow, in heights of the subject; 0 casts none. */
  shadow: number;
  /** Light that it sheds around itself is drawn before the subject. */
  glow?(brush: Brush, subject: Subject, seconds: number, frame: Frame): void;
}

const person: Drawing = { space: 'standing', draw: drawPerson, height: personHeight, shadow: 0.16 };
const pet: Drawing = { space: 'standing', draw: drawPet, height: petHeight, shadow: 0.45 };
const whole = (draw: Drawing['draw']): Drawing => ({ space: 'whole', draw, height: () => 1, shadow: 0 });

export const drawings: Record<SubjectKind, Drawing> = {
  man: person,
  woman: person,
  boy: person,
  girl: person,
  robot: { space: 'standing', draw: drawRobot, height: robotHeight, shadow: 0.2 },
  dog: pet,
  cat: pet,
  bird: { space: 'standing', draw: drawBird, height: birdHeight, shadow: 0.3 },
  fish: { space: 'standing', draw: drawFish, height: fishHeight, shadow: 0.6 },
  car: { space: 'standing', draw: drawCar, height: carHeight, shadow: 1.2 },
  boat: whole(drawBoat),
  balloon: { space: 'standing', draw: drawBalloon, height: balloonHeight, shadow: 0.25 },
  bonfire: { space: 'standing', draw: drawBonfire, height: bonfireHeight, shadow: 0, glow: bonfireGlow },
  candle: { space: 'standing', draw: drawCandle, height: candleHeight, shadow: 0.5, glow: candleGlow },
  'ocean waves': whole(drawWaves),
  waterfall: whole(drawWaterfall),
  flag: { space: 'standing', draw: drawFlag, height: flagHeight, shadow: 0.12 },
  tree: { space: 'standing', draw: drawWindTree, height: treeHeight, shadow: 0.35 },
  smoke: { space: 'standing', draw: drawSmoke, height: smokeHeight, shadow: 0 },
  clouds: whole(drawClouds),
  flower: { space: 'standing', draw: drawFlower, height: flowerHeight, shadow: 0.2 },
  rain: whole(drawRain),
};
