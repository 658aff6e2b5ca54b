# The Worker itself is deployed by `npm run deploy`, which knows its Durable Object migrations; these resources route to it.
locals {
  edge_host    = "${var.edge_host}.${var.zone_name}"
  core_hosts   = { for region in var.core_regions : region.name => "core-${region.name}.${var.zone_name}" }
  worker       = "edgewise-${var.environment}"
  health_path  = "/readyz"
  pool_regions = { for region in var.core_regions : region.name => region if var.load_balancer }
}

# A route needs a proxied record; the Worker answers first, so this address (RFC 6666, discard) is never reached.
resource "cloudflare_dns_record" "edge" {
  zone_id = var.cloudflare_zone_id
  name    = local.edge_host
  type    = "AAAA"
  content = "100::"
  ttl     = 1
  proxied = true
  comment = "Edgewise: the edge"
}

resource "cloudflare_workers_route" "edge" {
  zone_id = var.cloudflare_zone_id
  pattern = "${local.edge_host}/*"
  script  = local.worker
}

resource "cloudflare_dns_record" "core" {
  for_each = { for region in var.core_regions : region.name => region }

  zone_id = var.cloudflare_zone_id
  name    = local.core_hosts[each.key]
  type    = "CNAME"
  content = each.value.target
  ttl     = 1
  proxied = true
  comment = "Edgewise: core in ${each.key}"
}

resource "cloudflare_load_balancer_monitor" "core" {
  count = var.load_balancer ? 1 : 0

  account_id       = var.cloudflare_account_id
  description      = "Edgewise: a core answers 503 while it stops"
  type             = "https"
  method           = "GET"
  path             = local.health_path
  port             = 443
  expected_codes   = "200"
  interval         = 60
  retries          = 1
  timeout          = 5
  consecutive_down = 2
  consecutive_up   = 1
  allow_insecure   = false
}

resource "cloudflare_load_balancer_pool" "core" {
  for_each = local.pool_regions

  account_id         = var.cloudflare_account_id
  name               = "edgewise-core-${each.key}"
  monitor            = cloudflare_load_balancer_monitor.core[0].id
  minimum_origins    = 1
  latitude           = each.value.latitude
  longitude          = each.value.longitude
  notification_email = var.notification_email

  origins = [
    {
      name    = each.key
      address = each.value.target
      enabled = true
      weight  = 1
      header  = { host = [each.value.target] }
    }
  ]
}

resource "cloudflare_load_balancer" "core" {
  count = var.load_balancer ? 1 : 0

  zone_id         = var.cloudflare_zone_id
  name            = "core.${var.zone_name}"
  description     = "Edgewise: the nearest healthy core"
  proxied         = true
  steering_policy = "proximity"
  default_pools   = [for region in var.core_regions : cloudflare_load_balancer_pool.core[region.name].id]
  fallback_pool   = cloudflare_load_balancer_pool.core[var.core_regions[length(var.core_regions) - 1].name].id

  # A request that fails at one origin is retried in the next pool at once, without waiting for the monitor.
  adaptive_routing = {
    failover_across_pools = true
  }
}
