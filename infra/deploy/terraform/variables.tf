variable "environment" {
  description = "Environment of wrangler.toml that serves the route: production or staging."
  type        = string
  default     = "production"

  validation {
    condition     = contains(["production", "staging"], var.environment)
    error_message = "wrangler.toml has the environments production and staging."
  }
}

variable "cloudflare_account_id" {
  description = "Account that the Worker runs in."
  type        = string
}

variable "cloudflare_zone_id" {
  description = "Zone of the host names."
  type        = string
}

variable "zone_name" {
  description = "Name of the zone, such as example.com."
  type        = string
}

variable "edge_host" {
  description = "Host name that apps call, relative to the zone: chat for chat.example.com."
  type        = string
  default     = "chat"
}

variable "core_regions" {
  description = "The cores with their locations and addresses, nearest to most callers first."
  type = list(object({
    name      = string # such as eu-west: core-eu-west.example.com is its host name
    target    = string # host name of the region's own ingress
    latitude  = number
    longitude = number
  }))

  validation {
    condition     = length(var.core_regions) > 0
    error_message = "At least one core must be listed."
  }

  validation {
    condition     = alltrue([for region in var.core_regions : can(regex("^[a-z0-9-]+$", region.name))])
    error_message = "A region's name is part of a host name: lower-case letters, digits and hyphens."
  }

  validation {
    condition     = length(distinct(var.core_regions[*].name)) == length(var.core_regions)
    error_message = "Region names must be unique."
  }
}

variable "load_balancer" {
  description = "Whether core.<zone> is a load balancer over the regions (a paid product), for callers other than the edge."
  type        = bool
  default     = false
}

variable "notification_email" {
  description = "Email address for notices about unhealthy core regions."
  type        = string
  default     = ""
}

variable "neon_region" {
  description = "Region of the database."
  type        = string
  default     = "aws-eu-central-1"
}

variable "neon_history_seconds" {
  description = "Point-in-time recovery of Neon, in addition to the backups."
  type        = number
  default     = 604800
}

variable "upstash_primary_region" {
  description = "Primary region of the Redis for conversations, cached answers and limits."
  type        = string
  default     = "eu-central-1"
}

variable "upstash_read_regions" {
  description = "Regions of its read replicas."
  type        = list(string)
  default     = []
}
