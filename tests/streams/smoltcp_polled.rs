//! smoltcp, polled: a stack connected to itself, with the broker behind its other socket.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant as Clock;

use baremqtt::transport::polled::{self, Connection};
use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, QoS};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Loopback, Medium};
use smoltcp::socket::tcp;
use smoltcp::time::Instant as SmolInstant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use crate::peer::broker;

const HERE: IpAddress = IpAddress::v4(127, 0, 0, 1);

/// The state of a program whose network is smoltcp.
struct Network {
    device: Loopback,
    interface: Interface,
    sockets: SocketSet<'static>,
    client: SocketHandle,
    epoch: Clock,
}

impl Network {
    fn poll(&mut self) -> &mut tcp::Socket<'static> {
        let now = SmolInstant::from_millis(self.epoch.elapsed().as_millis() as i64);
        self.interface.poll(now, &mut self.device, &mut self.sockets);
        self.sockets.get_mut(self.client)
    }
}

impl polled::Stream for Network {
    type Error = tcp::RecvError;

    fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, Self::Error> {
        match self.poll().recv_slice(buffer) {
            Ok(0) => Err(nb::Error::WouldBlock),
            Err(tcp::RecvError::Finished) => Ok(0),
            result => result.map_err(nb::Error::Other),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, Self::Error> {
        match self.poll().send_slice(bytes) {
            Ok(0) => Err(nb::Error::WouldBlock),
            Err(tcp::SendError::InvalidState) => Err(nb::Error::Other(tcp::RecvError::InvalidState)),
            Ok(len) => Ok(len),
        }
    }
}

/// Forwards bytes between the other socket and the broker.
fn forward(network: &mut Network, server: SocketHandle, broker: &mut TcpStream) {
    let socket = network.sockets.get_mut::<tcp::Socket<'_>>(server);
    let mut buffer = [0; 1024];
    if let Ok(len @ 1..) = socket.recv_slice(&mut buffer) {
        broker.write_all(&buffer[..len]).unwrap();
    }
    let room = (socket.send_capacity() - socket.send_queue()).min(buffer.len());
    if !socket.can_send() || room == 0 {
        return;
    }
    match broker.read(&mut buffer[..room]) {
        Ok(len) => assert_eq!(socket.send_slice(&buffer[..len]), Ok(len)),
        Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
    }
}

#[test]
fn messages_return_at_every_qos() {
    let broker = broker();
    let mut device = Loopback::new(Medium::Ip);
    let epoch = Clock::now();
    let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut device, SmolInstant::ZERO);
    interface.update_ip_addrs(|addresses| addresses.push(IpCidr::new(HERE, 8)).unwrap());
    let mut sockets = SocketSet::new(Vec::new());
    let mut socket = || {
        let buffer = || tcp::SocketBuffer::new(vec![0; 512]);
        sockets.add(tcp::Socket::new(buffer(), buffer()))
    };
    let (client, server) = (socket(), socket());
    sockets.get_mut::<tcp::Socket<'_>>(server).listen(1883).unwrap();
    let to = (HERE, 1883);
    sockets.get_mut::<tcp::Socket<'_>>(client).connect(interface.context(), to, 49_152).unwrap();
    let mut network = Network { device, interface, sockets, client, epoch };
    while !network.poll().may_send() {}

    let mut broker_stream = TcpStream::connect(broker.addr()).unwrap();
    broker_stream.set_nonblocking(true).unwrap();
    let mut mqtt = Connection::new(network, Client::new(Buffers { rx: [0; 256], tx: [0; 512] }));
    mqtt.connect(&Connect::new("smoltcp")).unwrap();
    let (mut returned, mut ended) = (Vec::new(), 0);
    while returned.len() < 3 || ended < 2 {
        assert!(epoch.elapsed().as_secs() < 60, "{returned:?}");
        match mqtt.poll(Instant::from_millis(epoch.elapsed().as_millis() as u32)) {
            Ok(Event::Connected { .. }) => {
                mqtt.subscribe(&[("t", QoS::ExactlyOnce)]).unwrap();
            }
            Ok(Event::Subscribed { .. }) => {
                for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                    mqtt.publish(&Message::new("t", b"there and back").qos(qos)).unwrap();
                }
            }
            Ok(Event::Message(message)) => returned.push(message.delivery.qos()),
            Ok(Event::Published { .. }) => ended += 1,
            Ok(_) => {}
            Err(nb::Error::WouldBlock) => forward(mqtt.stream_mut(), server, &mut broker_stream),
            Err(nb::Error::Other(error)) => panic!("{error:?}"),
        }
    }
    assert_eq!(returned, [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]);
}
