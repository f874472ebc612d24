import Redis
import Testing

/// Addresses name a server, its data base and a key, and nothing that is secret.
@Suite struct AddressTests {
  @Test func placesAndKeys() throws {
    let plain = try RedisAddress("redis://db.example?key=rows")
    #expect(plain.place == .host("db.example", port: 6379) && plain.database == 0 && plain.key == "rows")
    #expect(plain.user == nil && plain.server == "db.example:6379")
    let whole = try RedisAddress("redis://reader@[::1]:7000/3?key=room%201%2Fa:b")
    #expect(whole.place == .host("::1", port: 7000) && whole.database == 3 && whole.key == "room 1/a:b")
    #expect(whole.user == "reader" && whole.server == "[::1]:7000")
    let local = try RedisAddress("redis+unix:///run/redis%3F.sock?db=2&key=rows")
    #expect(local.place == .socket("/run/redis?.sock") && local.database == 2 && local.server == "/run/redis?.sock")
    #expect(RedisAddress.isAddress("redis://x") && !RedisAddress.isAddress("rows.csv"))
  }

  @Test(arguments: [
    ("redis://db/0", "needs ?key="), ("redis://db?key=", "needs ?key="), ("redis://?key=a", "names no host"),
    ("redis://:secret@db?key=a", "password"), ("redis://me:secret@db?key=a", "password"),
    ("redis://db:0?key=a", "a port"), ("redis://db:99999?key=a", "a port"), ("redis://db:x?key=a", "a port"),
    ("redis://db/x?key=a", "data base"), ("redis://db/-1?key=a", "data base"), ("redis://db/0?key=a&db=1", "twice"),
    ("redis://db?key=a&key=b", "twice"), ("redis://db?key=a&grup=b", "'grup'"), ("redis://db?key", "without a value"),
    ("redis://db?key=%zz", "hexadecimal"), ("redis://db?key=%f", "hexadecimal"), ("redis://db?key=%ff", "UTF-8"),
    ("redis+unix://?key=a", "socket"), ("redis+unix://host/s?key=a", "socket"), ("rediss://db?key=a", "begins with"),
    ("mqtt://db?key=a", "begins with"),
  ])
  func faults(text: String, says: String) {
    do {
      Issue.record("\(try RedisAddress(text))")
    } catch {
      #expect(error.message.contains(says), "\(text): \(error)")
    }
  }
}
