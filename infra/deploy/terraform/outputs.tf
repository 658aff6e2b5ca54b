output "edge_url" {
  description = "Base URL of apps, followed by /v1."
  value       = "https://${local.edge_host}"
}

output "edgewise_core_url" {
  description = "EDGEWISE_CORE_URL of the Worker: every region, nearest to most callers first."
  value       = join(",", [for region in var.core_regions : "https://${local.core_hosts[region.name]}"])
}

output "database_url" {
  description = "DATABASE_URL of the cores."
  value       = neon_project.edgewise.connection_uri
  sensitive   = true
}

output "upstash_redis_rest_url" {
  description = "UPSTASH_REDIS_REST_URL of the Worker."
  value       = "https://${upstash_redis_database.edgewise.endpoint}"
}

output "upstash_redis_rest_token" {
  description = "UPSTASH_REDIS_REST_TOKEN of the Worker."
  value       = upstash_redis_database.edgewise.rest_token
  sensitive   = true
}

output "edgewise_redis_url" {
  description = "EDGEWISE_REDIS_URL of the cores."
  value       = "rediss://default:${upstash_redis_database.edgewise.password}@${upstash_redis_database.edgewise.endpoint}:${upstash_redis_database.edgewise.port}"
  sensitive   = true
}
