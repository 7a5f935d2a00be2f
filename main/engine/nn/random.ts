/** Random numbers of the engine are those of all processes. */
export { Random, type RandomState } from '../../../shared/statistics/random.ts';
