# syntax=docker/dockerfile:1
# The core. Build from the root of the repository: docker build -f infra/deploy/docker/core.Dockerfile -t edgewise-core .
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No dependency of the core needs its install script.
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Edgewise core"
ENV NODE_ENV=production \
    CORE_HOST=0.0.0.0 \
    CORE_PORT=8788 \
    EDGEWISE_DATABASE_DIR=/data/postgres \
    EDGEWISE_GRACE_MS=25000
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY shared ./shared
COPY core ./core
COPY infra/config/models.toml ./infra/config/models.toml
COPY infra/config/knowledge ./infra/config/knowledge
# For `node infra/cli/migrate.ts`.
COPY infra/cli/migrate.ts ./infra/cli/migrate.ts
COPY infra/local/command.ts ./infra/local/command.ts
# The embedded database; unused where DATABASE_URL is set. Everything else may be read-only.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER 1000:1000
EXPOSE 8788
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.CORE_PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "core/server.ts"]
