import ArgumentParser
import ControlRoom
import Gateway

/// What the pages show of the agency: its name, and its maps; an admin's settings come before them.
struct FaceOptions: ParsableArguments {
  @Option(help: "What callers know the service as, for example \"112 Leitstelle Nord\".")
  var serviceName = "Emergency service"

  @Option(
    help:
      "Template of map tiles' addresses, for example https://tiles.example.org/{z}/{x}/{y}.png; maps are a plain grid without."
  )
  var mapTiles: String?

  @Option(help: "Whose map tiles they are, as their licence wants it shown.")
  var mapAttribution: String?

  @Option(help: "Folder of Leaflet, which draws maps; Debian's package is libjs-leaflet.")
  var mapLibrary = GatewayConfiguration.debianMapLibrary

  func settings() throws -> ServiceSettings {
    let settings = ServiceSettings(serviceName: serviceName, mapTiles: mapTiles, mapAttribution: mapAttribution)
    do {
      try settings.check()
    } catch {
      throw ValidationError(error.text)
    }
    return settings
  }
}
