/** The core as a serverless function: a `fetch` handler for most platforms, and one for AWS Lambda. */
import { handle, streamHandle } from 'hono/aws-lambda';
import { createApp } from './app.ts';
import { parseCoreEnv } from './env.ts';
import { createCoreServices } from './services.ts';

const app = createApp(await createCoreServices(parseCoreEnv(process.env), process.env));

/** For platforms that pass a web `Request`. */
export const fetch: (request: Request) => Response | Promise<Response> = (request) => app.fetch(request);

/** For an AWS Lambda function URL with response streaming. */
export const handler: ReturnType<typeof streamHandle> =
  'awslambda' in globalThis ? streamHandle(app) : handle(app);
