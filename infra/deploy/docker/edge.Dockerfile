# syntax=docker/dockerfile:1
# The edge for nodes of your own: the Worker in workerd.
# Build from the root of the repository: docker build -f infra/deploy/docker/edge.Dockerfile -t edgewise-edge .
FROM node:24-bookworm-slim AS build
WORKDIR /app
ENV WRANGLER_SEND_METRICS=false
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json wrangler.toml ./
COPY shared ./shared
COPY edge ./edge
COPY infra ./infra
RUN npm run build && cp node_modules/workerd/bin/workerd /usr/local/bin/workerd

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Edgewise edge"
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production \
    EDGE_HOST=0.0.0.0 \
    PORT=8787 \
    EDGEWISE_DATA=/data \
    EDGEWISE_GRACE_MS=25000 \
    WORKERD_PATH=/usr/local/bin/workerd
WORKDIR /app
COPY --from=build /usr/local/bin/workerd /usr/local/bin/workerd
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY core/db/data-folder.ts ./core/db/
COPY infra/cli/edge.ts ./infra/cli/edge.ts
COPY infra/local/command.ts infra/local/settings.ts infra/local/workerd-config.ts infra/local/bundle-paths.ts \
    infra/local/edge-variables.ts infra/local/process-lifetime.ts infra/local/reaper.ts ./infra/local/
# Durable Objects and workerd's configuration. Everything else may be read-only.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER 1000:1000
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "infra/cli/edge.ts"]
