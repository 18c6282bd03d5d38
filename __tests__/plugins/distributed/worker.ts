/** The program of the processes in these tests: the sources, and not the built package. */
import { shardWorker } from 'tfjs-laplace/plugins/distributed';

shardWorker();
