import Tenancy

/// Where the tests' own providers listen.
let house = ["127.0.0.0/8", "::1"].compactMap { Network($0) }
