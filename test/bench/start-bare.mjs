// The limit: Node starts and does nothing. JavaScript, so that stripping types is not what is measured.
import { reportStart } from './start-report.mjs';

reportStart();
