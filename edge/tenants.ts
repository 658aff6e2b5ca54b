/** Whether a configured list contains a tenant; `*` means all. */
export function includesTenant(tenants: readonly string[], tenant: string): boolean {
  return tenants.includes('*') || tenants.includes(tenant);
}
