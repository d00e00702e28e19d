import Foundation
import Testing

@testable import Admin

struct OpenAPITests {
  @Test func theServedDescriptionIsTheFile() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("docs/openapi/admin.yaml")
    #expect(try String(contentsOf: file, encoding: .utf8) == OpenAPIDocument.text)
  }

  @Test func theDescriptionNamesEveryRouteAndNoOther() {
    #expect(Self.described().sorted() == AdminRoutes.all.map(Self.line).sorted())
  }

  @Test func theDescriptionIsServedWithoutLogin() async throws {
    let answer = await (try World()).send("GET", "/openapi.yaml")
    #expect(answer.text == OpenAPIDocument.text)
    #expect(answer.contentType == "application/yaml")
  }

  private static func line(_ route: AdminRoute) -> String {
    // The bounds of usage are days, those of the log instants.
    let days = route.name == "usage.show" ? "Day" : ""
    let query = route.query.map { $0 == "key" ? "KeyQuery" : $0.prefix(1).uppercased() + $0.dropFirst() + days }
    let login =
      switch route.gate {
      case .open: "none"
      case .optional: "optional"
      default: "required"
      }
    return "\(route.method.rawValue) \(route.path) \(route.name) \(query.sorted()) login=\(login)"
  }

  /// Method, path, name and query parameters as the document has them, read by its indentation.
  private static func described() -> [String] {
    var lines: [String] = []
    var path = ""
    var method = ""
    var name = ""
    var query: [String] = []
    var login = "required"
    func flush() {
      if !name.isEmpty { lines.append("\(method) \(path) \(name) \(query.sorted()) login=\(login)") }
      (name, query, login) = ("", [], "required")
    }
    for row in OpenAPIDocument.text.split(separator: "\n") {
      if row == "components:" { break }
      if row.hasPrefix("  /") {
        flush()
        path = String(row.dropFirst(2).dropLast())
      } else if row.hasPrefix("    "), !row.hasPrefix("     "), row.hasSuffix(":"), row != "    parameters:" {
        flush()
        method = row.dropFirst(4).dropLast().uppercased()
      } else if row.hasPrefix("      operationId: ") {
        name = String(row.dropFirst("      operationId: ".count))
      } else if row == "      security: []" {
        login = "none"
      } else if row == "      security: [{}, {admin: []}]" {
        login = "optional"
      } else if row.hasPrefix("        - $ref: '#/components/parameters/") {
        query.append(String(row.dropFirst("        - $ref: '#/components/parameters/".count).dropLast()))
      }
    }
    flush()
    return lines
  }
}
