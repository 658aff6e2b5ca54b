import { runCommand } from '../local/command.ts';
import { whenNpmIsKilled } from '../local/process-lifetime.ts';

await runCommand({
  name: 'npm run core',
  summary: 'Runs the core by itself. The configuration reference lists all of its variables.',
  environment: {
    EDGEWISE_SERVICE_SECRET: 'Secret that edge and core share (required)',
    CORE_HOST: 'Address to listen on (127.0.0.1)',
    CORE_PORT: 'Port to listen on (8788)',
    DATABASE_URL: 'postgres:// address; without it an embedded database in EDGEWISE_DATABASE_DIR',
    EDGEWISE_MODELS_FILE: 'Models, providers and ladders (infra/config/models.toml)',
    OPENAI_API_KEY: 'Key of the default models file',
  },
  example: 'EDGEWISE_SERVICE_SECRET=... OPENAI_API_KEY=... npm run core',
  async run() {
    whenNpmIsKilled(() => process.kill(process.pid, 'SIGTERM'));
    await import('../../core/server.ts');
  },
});
