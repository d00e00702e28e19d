internal import Foundation

/// Reads the files of a policy folder; the one place here that touches a disk.
enum PolicyFolder {
  /// Most files of one folder.
  static let maxFiles = 1000

  static func files(in folder: String) throws(PolicyError) -> [PolicyFile] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.sorted()
    } catch {
      throw PolicyError(.unreadable, "the folder of the policies cannot be read")
    }
    guard names.count <= maxFiles else {
      throw PolicyError(.unreadable, "the folder of the policies has more than \(maxFiles) files")
    }
    var files: [PolicyFile] = []
    for name in names {
      guard let handle = FileHandle(forReadingAtPath: "\(folder)/\(name)"),
        let data = try? handle.read(upToCount: YAMLReader.maxBytes + 1) ?? Data()
      else { throw PolicyError(.unreadable, "\(name) cannot be read") }
      try? handle.close()
      files.append(PolicyFile(name: name, bytes: Array(data)))
    }
    return files
  }
}
