/// Every route of the Admin API. What is not here does not exist.
package enum AdminRoutes {
  package static let all: [AdminRoute] =
    HealthRoutes.all + TenantRoutes.all + ProjectRoutes.all + KeyRoutes.all + UserRoutes.all + RoleRoutes.all
    + QuotaRoutes.all + UsageRoutes.all + LogRoutes.all + AuditRoutes.all + RouteRoutes.all + ProviderRoutes.all
}
