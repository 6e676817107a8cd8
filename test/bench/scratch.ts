import { importBench } from './p1-import.ts';

console.log(importBench('/tmp/mca-bench', 200000, 3));
