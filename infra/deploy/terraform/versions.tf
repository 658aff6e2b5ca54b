terraform {
  required_version = ">= 1.9"

  required_providers {
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 5.8"
    }
    neon = {
      source  = "kislerdm/neon"
      version = "~> 0.9"
    }
    upstash = {
      source  = "upstash/upstash"
      version = "~> 2.1"
    }
  }

  # The state holds passwords: keep it encrypted and locked, for example
  # backend "s3" { ... }
}

# Credentials come from the environment: CLOUDFLARE_API_TOKEN, NEON_API_KEY, UPSTASH_EMAIL and UPSTASH_API_KEY.
provider "cloudflare" {}

provider "neon" {}

provider "upstash" {}
