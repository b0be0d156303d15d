# perl hanging-mount.pl PID PATH
# Mounts a FUSE file system with one file at PATH in the mount namespace of PID, and prints "mounted". After SIGUSR1 it takes
# requests and answers none, so that not even SIGKILL ends a process that waits for one. The end of this program ends them.
use strict;
use POSIX ();
my ($pid, $path) = @ARGV;
my $hangs = 0;
$SIG{USR1} = sub { $hangs = 1 };
$^F = 100;
$| = 1;
open(my $namespace, '<', "/proc/$pid/ns/mnt") or die "namespace: $!";
open(my $device, '+<', '/dev/fuse') or die "/dev/fuse: $!";
syscall(308, fileno($namespace), 0) == 0 or die "setns: $!";
mkdir $path;
my ($source, $type) = ('hanging', 'fuse');
my $options = 'fd=' . fileno($device) . ',rootmode=40755,user_id=0,group_id=0,allow_other';
syscall(165, $source, $path, $type, 0, $options) == 0 or die "mount: $!";

sub attributes {
    my ($node) = @_;
    my @of = $node == 1 ? (0, 0, 040755) : (50_000_000, 97_657, 0100644);
    return pack('Q6L10', $node, $of[0], $of[1], 0, 0, 0, 0, 0, 0, $of[2], 1, 0, 0, 0, 4096, 0);
}
while (1) {
    my $length = sysread($device, my $request, 200_000);
    if (!defined $length) { next if $! == POSIX::EINTR(); last }
    my (undef, $operation, $id, $node) = unpack('LLQQ', $request);
    next if $hangs || grep { $operation == $_ } 2, 36, 42;    # forget, interrupt, forget several
    my ($error, $answer) = (0, '');
    if ($operation == 26) {                                   # init
        $answer = pack('LLLLSSLLSSL', 7, 31, 65536, 0, 16, 12, 65536, 1, 0, 0, 0) . "\0" x 28;
        print "mounted\n";
    }
    elsif ($operation == 1) { $answer = pack('Q4L2', 2, 0, 0, 0, 0, 0) . attributes(2) }      # lookup
    elsif ($operation == 3) { $answer = pack('QLL', 0, 0, 0) . attributes($node) }            # getattr
    elsif ($operation == 14 || $operation == 27) { $answer = pack('QLL', 1, 0, 0) }           # open
    elsif (!grep { $operation == $_ } 10, 18, 25, 29) { $error = -38 }                        # unlink, release, flush
    syswrite($device, pack('LlQ', 16 + length $answer, $error, $id) . $answer);
}
