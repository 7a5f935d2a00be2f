import { Brush } from './brush.ts';
import type { Subject } from './scene.ts';

/** A brush for a figure drawn looking to the right, mirrored when it looks to the left (the light stays where it is). */
export function mirrored(brush: Brush, direction: number): Brush {
  brush.ctx.scale(direction, 1);
  return new Brush(
    brush.ctx,
    { ...brush.light, side: brush.light.side * Math.sign(direction) },
    brush.look,
    brush.flat,
  );
}

/** 1 looks to the right, -1 to the left; travellers look where they go. */
export function directionOf(subject: Subject): number {
  const { motion } = subject;
  const travels = ['walk', 'run', 'fly', 'drive', 'sail', 'swim'].includes(motion.kind);
  return (travels ? Math.sign(motion.path.to - motion.path.from) : Math.sign(motion.facing)) || 1;
}
