/** Whether a configured list of tenants holds one; `*` stands for all. */
export function includesTenant(tenants: readonly string[], tenant: string): boolean {
  return tenants.includes('*') || tenants.includes(tenant);
}
