import { createApp } from './app.ts';

export { AnswersObject } from './cache/answers-object.ts';
export { MeaningObject } from './cache/meaning/meaning-object.ts';
export { MeterObject } from './limits/meter-object.ts';
export { MetricsObject } from './observe/metrics-object.ts';
export { DirectoryObject } from './session/directory-object.ts';
export { SessionObject } from './session/session-object.ts';

export default createApp();
