resource "neon_project" "edgewise" {
  name                      = "edgewise-${var.environment}"
  region_id                 = var.neon_region
  pg_version                = 17
  history_retention_seconds = var.neon_history_seconds

  default_endpoint_settings {
    autoscaling_limit_min_cu = 0.25
    autoscaling_limit_max_cu = 4
    suspend_timeout_seconds  = 300
  }

  branch {
    name          = "main"
    database_name = "edgewise"
    role_name     = "edgewise"
  }

  lifecycle {
    prevent_destroy = true
  }
}

# Counters of limits and quotas must never be evicted when memory is full.
resource "upstash_redis_database" "edgewise" {
  database_name  = "edgewise-${var.environment}"
  region         = "global"
  primary_region = var.upstash_primary_region
  read_regions   = var.upstash_read_regions
  tls            = true
  eviction       = false

  lifecycle {
    prevent_destroy = true
  }
}
