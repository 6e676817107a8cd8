// Contender: Node starts and imports the built root entry.
import '../../dist/index.js';
import { reportStart } from './start-report.mjs';

reportStart();
