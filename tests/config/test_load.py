"""Reading the configuration: what wins, and what is said about mistakes."""

from __future__ import annotations

import os
import tomllib
from dataclasses import fields
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.config import AudioSocket, ConfigError, Http, Sip, find, load
from rapida_tw.config.sections import SECTIONS

CONF = Path(__file__).parents[2] / "conf"


class Folder(SynchronousTestCase):
    """A test case with files of its own."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir(parents=True)

    def file(self, text: str, name: str = "rapida.toml") -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def mistakes(self, text: str = "", env_file: str | None = None, **environ: str) -> list[str]:
        """What is said about the three sources, without the temporary folder's name."""
        extra = None if env_file is None else self.file(env_file, "env")
        with self.assertRaises(ConfigError) as caught:
            load(self.file(text), environ, extra)
        return [mistake.replace(f"{self.folder}/", "") for mistake in caught.exception.mistakes]


class Documentation(SynchronousTestCase):
    """conf/rapida.toml is what users read instead of the code."""

    def test_defaults(self) -> None:
        """The file as it is delivered changes nothing."""
        self.assertEqual(load(CONF / "rapida.toml", {}), load(None, {}))

    def test_complete(self) -> None:
        """The file shows every key of every section, and nothing else."""
        tables = tomllib.loads((CONF / "rapida.toml").read_text("utf-8"))
        shown = {(section, key) for section, keys in tables.items() for key in keys}
        known = {(name, key.name) for name, section in SECTIONS.items() for key in fields(section)}
        self.assertEqual(shown, known)

    def test_development(self) -> None:
        """dev.toml is valid and opens no port to the network."""
        config = load(CONF / "dev.toml", {})
        hosts = {config.http.host, config.audiosocket.host, config.sip.server}
        self.assertEqual(hosts, {"127.0.0.1"})


class Sources(Folder):
    """File, file of variables, environment: the later ones win."""

    def test_contract(self) -> None:
        """Without anything, the ports and names are the documented ones."""
        config = load(None, {})
        self.assertEqual((config.http.host, config.http.port), ("0.0.0.0", 9007))
        self.assertEqual((config.audiosocket.host, config.audiosocket.port), ("0.0.0.0", 4573))
        sip = Sip(
            True,
            "0.0.0.0",
            "",
            5090,
            ("udp",),
            rtp_port_range_start=10000,
            rtp_port_range_end=20000,
        )
        self.assertEqual(config.sip, sip)
        self.assertEqual((config.sip.realm, config.sip.srtp), ("rapida", "optional"))
        self.assertEqual(config.server.drain_seconds, 30)
        self.assertEqual(config.database.url, "sqlite:///var/rapida.db")
        self.assertEqual(config.recording.directory, Path("var/recordings"))
        self.assertEqual(config.model.default, "scripted")

    def test_file(self) -> None:
        """A key of the file replaces its default, and no other."""
        config = load(self.file("[http]\nport = 8000\nalso_ports = [9001, 9005]"), {})
        self.assertEqual((config.http.port, config.http.also_ports), (8000, (9001, 9005)))
        self.assertEqual(config.http.host, "0.0.0.0")

    def test_order(self) -> None:
        """The environment wins over the file of variables, and that over the TOML file."""
        path = self.file("[audiosocket]\nport = 1\nhost = '10.0.0.1'\nenabled = false")
        extra = self.file("AUDIOSOCKET__PORT=2\nAUDIOSOCKET__HOST=10.0.0.2", "env")
        config = load(path, {"AUDIOSOCKET__PORT": "3"}, extra)
        self.assertEqual(config.audiosocket.port, 3)
        self.assertEqual(config.audiosocket.host, "10.0.0.2")
        self.assertFalse(config.audiosocket.enabled)

    def test_types(self) -> None:
        """Text of the environment is read as the key's type says."""
        config = load(
            None,
            {
                "RECORDING__ENABLED": "no",
                "SERVER__DRAIN_SECONDS": "1.5",
                "SIP__TRANSPORTS": "udp, tcp",
                "HTTP__ALSO_PORTS": "9001,9005",
                "LOG__LEVELS": "rapida_tw.web=debug,rapida_tw=warn",
                "SIP__REALM": "5090",
            },
        )
        self.assertFalse(config.recording.enabled)
        self.assertEqual(config.server.drain_seconds, 1.5)
        self.assertEqual(config.sip.transports, ("udp", "tcp"))
        self.assertEqual(config.http.also_ports, (9001, 9005))
        self.assertEqual(dict(config.log.levels), {"rapida_tw.web": "debug", "rapida_tw": "warn"})
        self.assertEqual(config.sip.realm, "5090")

    def test_empty_list(self) -> None:
        """An empty variable is an empty list."""
        path = self.file("[http]\nalso_ports = [9001]")
        self.assertEqual(load(path, {"HTTP__ALSO_PORTS": ""}).http.also_ports, ())

    def test_data_dir(self) -> None:
        """Database and recordings follow the data folder, wherever that was set."""
        config = load(None, {"SERVER__DATA_DIR": "/srv/rapida"})
        self.assertEqual(config.database.url, "sqlite:////srv/rapida/rapida.db")
        self.assertEqual(config.recording.directory, Path("/srv/rapida/recordings"))

    def test_strangers(self) -> None:
        """Variables of other programs are none of ours."""
        environ = {"QT__SCALE": "2", "http__port": "1", "__CF": "x", "HTTP_PROXY": "y"}
        self.assertEqual(load(None, environ), load(None, {}))

    def test_public_host(self) -> None:
        """The documented variable is taken with or without a scheme, and with a port."""
        for written, host in {
            "voice.example.com": "voice.example.com",
            "https://Voice.example.com/": "voice.example.com",
            "http://10.0.0.7:9007": "10.0.0.7:9007",
            "[2001:db8::1]:443": "[2001:db8::1]:443",
            "": "",
        }.items():
            config = load(None, {"PUBLIC_ASSISTANT_HOST": written})
            self.assertEqual(config.server.public_host, host)

    def test_public_host_named_twice(self) -> None:
        """The general form of the variable wins over the short one."""
        environ = {"PUBLIC_ASSISTANT_HOST": "a.example", "SERVER__PUBLIC_HOST": "b.example"}
        self.assertEqual(load(None, environ).server.public_host, "b.example")

    def test_variables_file(self) -> None:
        """Comments, quotes and `export` mean in it what shells make of them."""
        extra = self.file(
            "# a comment\n\nexport SIP__REALM='the house'\n"
            'MODEL__DEFAULT="scripted" # why not\nSPEECH__VAD = energy # quick\n',
            "env",
        )
        config = load(None, {}, extra)
        self.assertEqual(config.sip.realm, "the house")
        self.assertEqual((config.model.default, config.speech.vad), ("scripted", "energy"))


class Endpoints(SynchronousTestCase):
    """Host, port and certificate as Twisted's endpoint strings."""

    def test_plain(self) -> None:
        """Host and port, also where the address has colons."""
        self.assertEqual(Http(host="10.0.0.1").endpoint, "tcp:9007:interface=10.0.0.1")
        self.assertEqual(AudioSocket(host="::1").endpoint, r"tcp:4573:interface=\:\:1")

    def test_listen(self) -> None:
        """What is given whole is taken whole."""
        listen = "systemd:domain=INET:name=http"
        self.assertEqual(Http(listen=listen).endpoint, listen)
        self.assertEqual(AudioSocket(listen=listen).endpoint, listen)

    def test_tls(self) -> None:
        """With a certificate, the port speaks TLS."""
        self.assertEqual(
            Http(tls_certificate="c.pem", tls_key="k.pem").endpoint,
            "ssl:9007:privateKey=k.pem:certKey=c.pem:interface=0.0.0.0",
        )


class Secrets(Folder):
    """What must not be seen."""

    KEY = "correct horse battery staple"

    def test_from_file(self) -> None:
        """A secret may be the content of a file, without the line's end."""
        key = self.file(self.KEY + "\n", "key")
        config = load(self.file(f"[server]\nsecret_key_file = '{key}'"), {})
        self.assertEqual(config.server.secret_key, self.KEY)

    def test_later_source_wins(self) -> None:
        """A secret of the environment replaces the file that the TOML file names."""
        path = self.file("[server]\nsecret_key_file = '/nowhere'")
        self.assertEqual(load(path, {"SERVER__SECRET_KEY": self.KEY}).server.secret_key, self.KEY)

    def test_both(self) -> None:
        """Value and file at once is a mistake, whichever source has both."""
        text = f"[server]\nsecret_key = '{self.KEY}'\nsecret_key_file = 'key'"
        self.file(self.KEY, "key")
        self.assertIn("give secret_key or secret_key_file, not both", self.mistakes(text)[0])
        path = str(self.folder / "key")
        said = self.mistakes(SERVER__SECRET_KEY=self.KEY, SERVER__SECRET_KEY_FILE=path)
        self.assertEqual(len(said), 1)

    def test_not_shown(self) -> None:
        """Neither a repr nor a mistake shows a secret."""
        url = "postgresql://rapida:hunter22@db/rapida"
        config = load(None, {"SERVER__SECRET_KEY": self.KEY, "DATABASE__URL": url})
        self.assertNotIn(self.KEY, repr(config))
        self.assertNotIn("hunter22", repr(config))
        said = self.mistakes(SERVER__SECRET_KEY="too short", DATABASE__URL="mysql://u:hunter22@x")
        self.assertNotIn("too short", "".join(said))
        self.assertNotIn("hunter22", "".join(said))

    def test_told_to_the_log(self) -> None:
        """The key and the passwords in addresses, as written and as meant."""
        url = "postgresql://rapida:p%40ssword@db/rapida"
        config = load(None, {"SERVER__SECRET_KEY": self.KEY, "DATABASE__URL": url})
        self.assertEqual(set(config.secrets()), {self.KEY, "p%40ssword", "p@ssword"})


class Mistakes(Folder):
    """All of them at once, each with its place, its key and what is allowed."""

    def test_all_at_once(self) -> None:
        """Mistakes in all three sources come in one list."""
        said = self.mistakes(
            "[http]\nport = 70000\nprot = 1\n[htpt]\nx = 1\n[sip]\nsrtp = 'maybe'\n",
            "LOG__FORMAT=xml\nnonsense\n",
            AUDIOSOCKET__PORT="many",
        )
        self.assertEqual(
            sorted(said),
            sorted(
                [
                    "rapida.toml: [http] port: 70000 will not do; "
                    "give a whole number from 0 to 65535",
                    "rapida.toml: [http] prot: there is no such key; did you mean port?",
                    "rapida.toml: there is no section [htpt]; did you mean http?",
                    "rapida.toml: [sip] srtp: 'maybe' will not do; "
                    'give one of "off", "optional", "required"',
                    'env: LOG__FORMAT: \'xml\' will not do; give one of "text", "json"',
                    "env: line 2: give NAME=value",
                    "environment variable AUDIOSOCKET__PORT: 'many' will not do; "
                    "give a whole number from 0 to 65535",
                ]
            ),
        )

    def test_far_from_any_key(self) -> None:
        """Where nothing is similar, the keys that there are are listed."""
        self.assertEqual(
            self.mistakes("[recording]\nxyz = 1"),
            ["rapida.toml: [recording] xyz: there is no such key; there are: enabled, directory"],
        )

    def test_not_a_section(self) -> None:
        """A key outside all sections."""
        self.assertEqual(
            self.mistakes("sip = true"), ["rapida.toml: sip is a section: write [sip]"]
        )

    def test_not_toml(self) -> None:
        """The parser's own words tell the line; the environment is still looked at."""
        said = self.mistakes("[http\n", HTTP__PORT="x")
        self.assertEqual(len(said), 2)
        self.assertIn("line 1", said[0])

    def test_unreadable(self) -> None:
        """A missing file, a folder and something that is no text."""
        with self.assertRaises(ConfigError) as caught:
            load(self.folder / "none", {}, self.folder)
        self.assertIn("none: cannot be read: No such file", caught.exception.mistakes[0])
        self.assertIn("cannot be read: Is a directory", caught.exception.mistakes[1])
        (self.folder / "bytes").write_bytes(b"\xff\xfe")
        with self.assertRaises(ConfigError) as caught:
            load(self.folder / "bytes", {})
        self.assertIn("cannot be read: not UTF-8", caught.exception.mistakes[0])

    def test_contradictions(self) -> None:
        """Keys that are right alone and wrong together."""
        said = self.mistakes(
            "[sip]\nrtp_port_range_start = 3000\nrtp_port_range_end = 2000\n"
            "[http]\ntls_key = 'nowhere.pem'\nport = 4573\n"
        )
        self.assertEqual(len(said), 4)
        self.assertIn("give a port above rtp_port_range_start", said[0])
        self.assertIn("give both or neither", said[1])
        self.assertIn("no file 'nowhere.pem'", said[2])
        self.assertIn("port 4573 is given twice", said[3])

    def test_sip_contradictions(self) -> None:
        """TLS wants its files, a list wants an entry, and TCP shares ports with nobody."""
        said = self.mistakes(
            "[sip]\ntransports = ['tcp', 'tls']\ncodecs = []\nport = 9007\ntls_port = 4573\n"
            "tls_key = 'nowhere.pem'\n"
        )
        self.assertEqual(len(said), 5)
        self.assertIn('"tls" needs tls_certificate and tls_key', said[0])
        self.assertIn("[sip] codecs: give at least one", said[1])
        self.assertIn("[sip] tls_certificate, tls_key: give both", said[2])
        self.assertIn("[sip] tls_key: there is no file 'nowhere.pem'", said[3])
        self.assertIn("port 4573 is given twice", said[4])

    def test_wrong_kinds(self) -> None:
        """No TOML type is mistaken for another."""
        for line in (
            "[http]\nport = true",
            "[http]\nport = '9007'",
            "[http]\nport = 1.0",
            "[http]\nhost = 'somewhere.example'",
            "[http]\nhost = 7",
            "[http]\nalso_ports = 9001",
            "[http]\nalso_ports = ['9001']",
            "[http]\nlisten = 'nine'",
            "[http]\ntrusted_proxies = ['10.0.0.0/99']",
            "[audiosocket]\nenabled = 1",
            "[server]\npublic_host = 'a b'",
            "[server]\ndata_dir = ''",
            "[server]\ndata_dir = '~nobody-of-that-name/x'",
            "[server]\ndrain_seconds = -1",
            "[server]\ndrain_seconds = nan",
            "[server]\ndrain_seconds = true",
            "[database]\nurl = 'mysql://x'",
            "[redis]\nurl = 'redis://[::1'",
            "[log]\nlevels = 'debug'",
            "[log.levels]\n'a' = 'loud'",
            "[speech]\nvad = ' '",
            "[sip]\ntransports = ['sctp']",
        ):
            said = self.mistakes(line)
            self.assertEqual(len(said), 1, line)
            self.assertIn("give ", said[0])


class Robustness(SynchronousTestCase):
    """Nothing but `ConfigError`, whatever is written."""

    names = st.sampled_from(
        [
            f"{section}__{key.name}".upper()
            for section, keys in SECTIONS.items()
            for key in fields(keys)
        ]
    )
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

    @given(environ=st.dictionaries(names, texts, max_size=5))
    def test_any_text(self, environ: dict[str, str]) -> None:
        """Any text of any variable is taken or refused."""
        try:
            config = load(None, environ)
        except ConfigError as error:
            self.assertTrue(error.mistakes)
        else:
            list(config.secrets())


class Finding(Folder):
    """Where the file is looked for."""

    def test_order(self) -> None:
        """The option, then the variable, then the folder that the server was started in."""
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        there = {"RAPIDA_CONFIG": "b.toml"}
        self.assertEqual(find("a.toml", there), Path("a.toml"))
        self.assertEqual(find(None, there), Path("b.toml"))
        Path("conf").mkdir()
        Path("conf/rapida.toml").touch()
        self.assertEqual(find(None, {}), Path("conf/rapida.toml"))
