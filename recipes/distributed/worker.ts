/** The program of the recipe's processes. */
import '../support/tensorflow.js';
import { shardWorker } from 'tfjs-laplace/plugins/distributed';

shardWorker();
