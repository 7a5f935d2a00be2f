/** Random numbers of the engine are those of all processes. */
export { Random } from '../../../shared/statistics/random.ts';
