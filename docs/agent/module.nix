# A NixOS module. In the host's configuration:
#
#   imports = [ ./module.nix ];
#   services.muster-agent = {
#     enable = true;
#     package = inputs.muster.packages.${pkgs.system}.default;
#     server = "https://muster.example";
#     tokenFile = "/run/secrets/muster-agent";
#     settings = {
#       repository.path = "/etc/nixos";
#       commands.pull = { argv = [ "git" "pull" "--ff-only" ]; checks = [ "git" "lock" ]; };
#       commands.switch = {
#         argv = [ "nixos-rebuild" "switch" "--flake" "/etc/nixos" ];
#         timeout = "1 h";
#         checks = [ "system" ];
#       };
#     };
#   };
{ config, lib, pkgs, ... }:
let
  cfg = config.services.muster-agent;
  toml = pkgs.formats.toml { };
in
{
  options.services.muster-agent = {
    enable = lib.mkEnableOption "the Muster agent";
    package = lib.mkOption {
      type = lib.types.package;
      description = "The package that has bin/muster.";
    };
    server = lib.mkOption {
      type = lib.types.str;
      example = "https://muster.example";
      description = "Address of the console.";
    };
    tokenFile = lib.mkOption {
      # A string, not a path: a path would copy the token into the store, which everybody can read.
      type = lib.types.str;
      description = "File that holds the host's token.";
    };
    settings = lib.mkOption {
      type = toml.type;
      default = { };
      description = "The agent's configuration, as in docs/agent.md.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.muster-agent.settings.host_type = lib.mkDefault "nixos";

    systemd.services.muster-agent = {
      description = "Muster agent";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      # What the built-in checks and the usual commands run, nixos-rebuild among it.
      path = [ pkgs.git pkgs.openssh pkgs.coreutils config.nix.package "/run/current-system/sw" ];
      serviceConfig = {
        ExecStart = lib.concatStringsSep " " [
          "${lib.getExe' cfg.package "muster"} agent"
          "--server ${lib.escapeShellArg cfg.server}"
          "--token-file \${CREDENTIALS_DIRECTORY}/token"
          "--config ${toml.generate "muster-agent.toml" cfg.settings}"
        ];
        LoadCredential = "token:${cfg.tokenFile}";
        StateDirectory = "muster-agent";
        StateDirectoryMode = "0700";
        Restart = "always";
        RestartSec = 5;
        RestartPreventExitStatus = "77 78";
        # A switch that replaces the agent goes on, and the new agent tells how it ended.
        KillMode = "process";
        UMask = "0077";
      };
    };
  };
}
